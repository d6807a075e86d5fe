# ---
# title: A percentile as threshold, so that equals stay together
# kind: wrong
# base: reference
# lost: [test_magnitude_masks]
# ---

# %% magnitude_masks
def magnitude_masks(weights, sparsity):
    if not 0 <= sparsity <= 1:
        raise ValueError("sparsity is from 0 to 1")
    row = np.abs(np.concatenate([weight.ravel() for weight in weights]))
    threshold = np.percentile(row, 100 * sparsity)
    return [np.abs(weight) >= threshold for weight in weights]
