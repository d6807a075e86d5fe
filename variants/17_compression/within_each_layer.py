# ---
# title: The smallest within each array, not of all together
# kind: wrong
# base: reference
# lost: [test_magnitude_masks]
# ---

# %% magnitude_masks
def magnitude_masks(weights, sparsity):
    if not 0 <= sparsity <= 1:
        raise ValueError("sparsity is from 0 to 1")
    masks = []
    for weight in weights:
        stays = np.ones(weight.size, dtype=bool)
        stays[np.argsort(np.abs(weight).ravel(), kind="stable")[: round(sparsity * weight.size)]] = False
        masks.append(stays.reshape(weight.shape))
    return masks
