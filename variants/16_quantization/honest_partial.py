# ---
# title: functools.partial and functions as values
# kind: correct
# base: reference
# lost: []
# ---

# %% to_codes
from functools import partial

saturated = partial(np.clip, a_min=-128, a_max=127)


def to_codes(values, scale, zero_point):
    return saturated(np.rint(np.true_divide(values, scale, dtype=np.float64)) + zero_point).astype(np.int8)
