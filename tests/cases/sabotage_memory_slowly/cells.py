# %% running



def running(values):
    kept = []
    while True:
        kept.append(bytearray(20_000_000))
