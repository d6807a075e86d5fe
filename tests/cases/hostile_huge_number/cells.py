# %% running
def running(values):
    return [1 << 13_000_000]
