# ---
# title: Masks are the wrong way round
# kind: wrong
# base: reference
# lost: [test_magnitude_masks]
# ---

# %% magnitude_masks
def magnitude_masks(weights, sparsity):
    if not 0 <= sparsity <= 1:
        raise ValueError("sparsity is from 0 to 1")
    row = np.abs(np.concatenate([weight.ravel() for weight in weights]))
    goes = np.zeros(row.size, dtype=bool)
    goes[np.argsort(row, kind="stable")[: round(sparsity * row.size)]] = True
    parts = np.split(goes, np.cumsum([weight.size for weight in weights])[:-1])
    return [part.reshape(weight.shape) for part, weight in zip(parts, weights)]
