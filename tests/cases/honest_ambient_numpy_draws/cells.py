# %% shuffled
def shuffled(values):
    return [values[at] for at in np.random.permutation(len(values))]
