# ---
# title: Keeps what is strictly above the threshold
# kind: wrong
# base: reference
# lost: [test_magnitude_masks]
# ---

# %% magnitude_masks
def magnitude_masks(weights, sparsity):
    if not 0 <= sparsity <= 1:
        raise ValueError("sparsity is from 0 to 1")
    ranked = np.sort(np.abs(np.concatenate([weight.ravel() for weight in weights])))
    count = round(sparsity * ranked.size)
    threshold = ranked[count - 1] if count else -1.0
    return [np.abs(weight) > threshold for weight in weights]
