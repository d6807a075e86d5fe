# ---
# title: Among equals the order is that of an unstable sort
# kind: wrong
# base: reference
# lost: [test_magnitude_masks]
# ---

# %% magnitude_masks
def magnitude_masks(weights, sparsity):
    if not 0 <= sparsity <= 1:
        raise ValueError("sparsity is from 0 to 1")
    row = np.abs(np.concatenate([weight.ravel() for weight in weights]))
    stays = np.ones(row.size, dtype=bool)
    stays[np.argsort(row[::-1], kind="stable")[::-1][row.size - round(sparsity * row.size) :]] = False
    stays = stays[::-1]
    parts = np.split(stays, np.cumsum([weight.size for weight in weights])[:-1])
    return [part.reshape(weight.shape) for part, weight in zip(parts, weights)]
