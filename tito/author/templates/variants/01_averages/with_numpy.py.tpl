# ---
# title: Uses numpy
# kind: correct
# base: reference
# lost: []
# ---

# %% mean
def mean(numbers):
    return float(np.mean(numbers))
