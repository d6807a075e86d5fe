# %% shuffled
def shuffled(values):
    mixed = list(values)
    random.shuffle(mixed)
    np.random.shuffle(mixed)
    return mixed
