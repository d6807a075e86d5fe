# ---
# title: Takes a step, and forgets the masks
# kind: wrong
# base: reference
# lost: [test_masked_step]
# ---

# %% masked_step
def masked_step(optimizer, weights, masks):
    for weight, mask in zip(weights, masks):
        weight.data = weight.data * mask
    optimizer.step()
