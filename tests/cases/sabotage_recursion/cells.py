# %% running



def running(values):
    return running(values)
