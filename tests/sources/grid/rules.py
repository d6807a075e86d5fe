"""What exercises of this course share."""

import numpy as np


def nodes(a, b, n):
    """The n + 1 nodes of n intervals of equal length."""
    if n < 1:
        raise ValueError("n must be positive")
    return np.linspace(a, b, n + 1)


def interval_length(a, b, n):
    """The length of each of n intervals."""
    return (b - a) / n
