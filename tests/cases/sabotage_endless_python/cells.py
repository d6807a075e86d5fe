# %% running



def running(values):
    while True:
        pass
