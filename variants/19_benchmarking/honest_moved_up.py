# ---
# title: A function in the cell of an earlier exercise, and its own cell empty
# kind: correct
# base: reference
# lost: []
# ---

# %% percentile
def percentile(times, percent, beyond=5):
    if len(times) == 0 or not 0 < percent < 100:
        raise ValueError("no percentile")
    rank = ceil(percent * len(times) / 100)
    if len(times) - rank < beyond:
        raise ValueError("too few")
    return float(sorted(times)[rank - 1])


def early_stopping_estimate(times, percent=90, confidence=0.99):
    return float(sorted(times)[-slow_runs_allowed(len(times), percent, confidence)])

# %% early_stopping_estimate
# it stands with percentile
