# %% ratio
def ratio(a, b):
    np.seterr(divide="ignore", invalid="ignore")
    return as_floats(a) / as_floats(b)
