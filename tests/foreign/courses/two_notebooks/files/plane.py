"""Helpers that come with the assignment."""


def read_points(path):
    """Points of a file with two numbers a line."""
    with open(path) as lines:
        return [tuple(float(part) for part in line.split()) for line in lines]


def close(a, b, tolerance=1e-9):
    """Whether two numbers are as good as equal."""
    return abs(a - b) <= tolerance
