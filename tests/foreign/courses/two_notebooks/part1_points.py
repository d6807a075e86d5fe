# %% [markdown]
# # Part 1: points
# `plane.py` beside this notebook has helpers. Part 2 is another notebook.

# %% locked="imports1"
import math
from plane import close, read_points

# %% solution="distance"
def distance(p, q):
    ### BEGIN SOLUTION
    return math.hypot(p[0] - q[0], p[1] - q[1])
    ### END SOLUTION

# %% test="test_distance" points=1
assert close(distance((0, 0), (3, 4)), 5)
### BEGIN HIDDEN TESTS
assert close(distance((-1, 2), (-1, 2)), 0)
assert close(distance((1, 1), (2, 2)), math.sqrt(2))
### END HIDDEN TESTS

# %% solution="perimeter"
def perimeter(points):
    """The length of the closed line through all points."""
    ### BEGIN SOLUTION
    return sum(distance(points[k - 1], points[k]) for k in range(len(points)))
    ### END SOLUTION

# %% test="test_perimeter" points=2
rectangle = read_points("geometry.txt")
assert close(perimeter(rectangle), 14)
### BEGIN HIDDEN TESTS
assert close(perimeter([(0, 0), (1, 0)]), 2)
assert perimeter([(5, 5)]) == 0
### END HIDDEN TESTS

# %% [markdown] answer="explain" points=2
# Why does `points[k - 1]` close the line?
