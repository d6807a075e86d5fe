# ---
# title: Norms of rows instead of columns
# kind: wrong
# base: reference
# lost: [test_units_to_keep]
# ---

# %% units_to_keep
def units_to_keep(weight, prune_ratio):
    if not 0 <= prune_ratio <= 1:
        raise ValueError("prune_ratio is from 0 to 1")
    norms = np.sqrt(np.sum(weight.astype(np.float64) ** 2, axis=1))
    gone = min(round(prune_ratio * norms.size), norms.size - 1)
    return np.sort(np.argsort(norms, kind="stable")[gone:])
