# ---
# title: Holds fast whatever is zero before the step
# kind: wrong
# base: reference
# lost: [test_masked_step]
# ---

# %% masked_step
def masked_step(optimizer, weights, masks):
    stays = [weight.data != 0 for weight in weights]
    optimizer.step()
    for weight, mask in zip(weights, stays):
        weight.data = weight.data * mask
