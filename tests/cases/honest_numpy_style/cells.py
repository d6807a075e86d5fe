# %% total
def total(values):
    return np.asarray(values, dtype=float).sum()

# %% running
def running(values):
    return list(np.cumsum(np.array(values, dtype=np.float64)))

# %% shares
def shares(values):
    weights = np.asarray(values, dtype=np.float64)
    return np.divide(weights, np.add.reduce(weights))
