# %% largest
def largest(values):
    table = np.ones((1 << 15, 1 << 15))
    return max(values) if len(table) else None
