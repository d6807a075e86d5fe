# %% rooted
def rooted(values):
    return list(np.sqrt(as_floats(values)))
