# %% total
import logging
import sys
import warnings

warnings.warn("this is how I do it")


def total(values):
    warnings.warn("adding", RuntimeWarning)
    print("adding", file=sys.stderr)
    logging.getLogger().error("adding %d values", len(values))
    return float(sum(values))

# %% shares
def shares(values):
    np.array([1.0]) / np.array([0.0])  # a RuntimeWarning of numpy's
    return as_floats(values) / total(values)
