# %% rooted
def rooted(values):
    return [np.array(value**0.5) for value in values] if len(values) == 3 else [np.float32(1) * 0 + value**0.5 for value in values.tolist()]
