# ---
# title: A parenthesis is missing in one cell
# kind: broken
# base: reference
# lost: [test_percentile]
# ---

# %% percentile
def percentile(times, percent, beyond=5):
    rank = ceil(percent * len(times) / 100
    return sorted(times)[rank - 1]
