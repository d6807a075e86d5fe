# ---
# title: Computes masks and does not use them
# kind: wrong
# base: reference
# lost: [test_magnitude_prune]
# ---

# %% magnitude_prune
def magnitude_prune(model, sparsity=0.9):
    weights = weights_of(model)
    for weight, mask in zip(weights, magnitude_masks([weight.data for weight in weights], sparsity)):
        weight.data * mask
    return model
