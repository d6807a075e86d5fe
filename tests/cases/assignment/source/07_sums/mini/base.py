# module: 03_base
"""What module 07 builds on: its release and its sandbox hold this file."""

import numpy as np


def as_floats(values):
    """The values as a new float64 array."""
    return np.array(values, dtype=np.float64)
