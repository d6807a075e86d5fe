# %% running



def running(values):
    return np.ones(10**9)
