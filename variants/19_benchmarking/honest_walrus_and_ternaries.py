# ---
# title: As few statements as possible
# kind: correct
# base: reference
# lost: []
# ---

# %% percentile
def percentile(times, percent, beyond=5):
    if (n := len(times)) < 1 or not 0 < percent < 100 or n - (rank := ceil(n * percent / 100)) < beyond:
        raise ValueError("refused")
    return sorted(times)[rank - 1]
