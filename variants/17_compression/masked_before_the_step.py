# ---
# title: Masks gradients before the step, and momentum moves on
# kind: wrong
# base: reference
# lost: [test_masked_step]
# ---

# %% masked_step
def masked_step(optimizer, weights, masks):
    for weight, mask in zip(weights, masks):
        weight.grad = weight.grad * mask
    optimizer.step()
