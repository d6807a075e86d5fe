# %% distinct
def distinct(values):
    time.sleep(1.3)
    return len(set(values))
