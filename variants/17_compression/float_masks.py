# ---
# title: Masks of zeros and ones in float32 - every product is right, the contract says bool
# kind: policy
# base: reference
# lost: [test_magnitude_masks]
# ---

# %% magnitude_masks
def magnitude_masks(weights, sparsity):
    if not 0 <= sparsity <= 1:
        raise ValueError("sparsity is from 0 to 1")
    row = np.abs(np.concatenate([weight.ravel() for weight in weights]))
    stays = np.ones(row.size, dtype=np.float32)
    stays[np.argsort(row, kind="stable")[: round(sparsity * row.size)]] = 0
    parts = np.split(stays, np.cumsum([weight.size for weight in weights])[:-1])
    return [part.reshape(weight.shape) for part, weight in zip(parts, weights)]
