# %% total
def total(values):
    table = np.ones(40_000_000)
    return float(np.asarray(values, dtype=float).sum() * table[7])
