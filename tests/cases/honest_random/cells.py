# %% + after:setup
import random

random.seed(1)
np.random.seed(1)
noise = np.random.normal(size=10)

# %% total
def total(values):
    order = np.random.permutation(len(values))
    return float(sum(values[at] for at in order))
