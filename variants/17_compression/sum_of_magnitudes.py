# ---
# title: The sum of magnitudes instead of the L2 norm
# kind: wrong
# base: reference
# lost: [test_units_to_keep]
# ---

# %% units_to_keep
def units_to_keep(weight, prune_ratio):
    if not 0 <= prune_ratio <= 1:
        raise ValueError("prune_ratio is from 0 to 1")
    norms = np.sum(np.abs(weight.astype(np.float64)), axis=0)
    gone = min(round(prune_ratio * norms.size), norms.size - 1)
    return np.sort(np.argsort(norms, kind="stable")[gone:])
