# ---
# title: Star imports, of math and of the course
# kind: correct
# base: reference
# lost: []
# ---

# %% affine_parameters
from math import *

from tinytorch.core.layers import *
from tinytorch.core.tensor import *


def affine_parameters(low, high):
    low, high = min(float(low), 0.0), max(float(high), 0.0)
    if low == high:
        return 1.0, 0
    scale = (high - low) / 255
    return scale, floor(-127.5 - low / scale)
