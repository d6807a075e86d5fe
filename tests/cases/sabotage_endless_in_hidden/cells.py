# %% running



def running(values):
    while min(values) < 0:
        pass
    return [float(one) for one in np.cumsum(values)]
