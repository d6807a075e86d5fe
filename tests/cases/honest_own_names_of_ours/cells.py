# %% total
del np
import numpy as np
small = found = steps = nothing = None
def total(values):
    return float(np.sum(np.asarray(values, dtype=float)))
