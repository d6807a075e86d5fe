# %% [markdown]
# # Part 2: areas

# %% locked="imports2"
import plane
from plane import *

# %% solution="area"
def area(points):
    """The area inside the line, by the shoelace formula."""
    ### BEGIN SOLUTION
    total = 0
    for (x1, y1), (x2, y2) in zip(points, points[1:] + points[:1]):
        total += x1 * y2 - x2 * y1
    return abs(total) / 2
    ### END SOLUTION

# %% test="test_area" points=2
assert close(area(read_points("geometry.txt")), 12)
### BEGIN HIDDEN TESTS
assert plane.close(area([(0, 0), (2, 0), (0, 2)]), 2)
assert plane.close(area([(0, 2), (2, 0), (0, 0)]), 2), "the other way round it is the same area"
### END HIDDEN TESTS

# %% solution="inside"
def inside(point, points):
    """Whether a point is inside (and not on the line)."""
    ### BEGIN SOLUTION
    x, y = point
    crossings = 0
    for (x1, y1), (x2, y2) in zip(points, points[1:] + points[:1]):
        if (y1 > y) != (y2 > y) and x < (x2 - x1) * (y - y1) / (y2 - y1) + x1:
            crossings += 1
    return crossings % 2 == 1
    ### END SOLUTION

# %% test="test_inside" points=2
square = [(0, 0), (2, 0), (2, 2), (0, 2)]
assert inside((1, 1), square)
assert not inside((3, 1), square)
### BEGIN HIDDEN TESTS
bent = [(0, 0), (4, 0), (4, 4), (2, 1), (0, 4)]
assert inside((0.5, 2), bent) and not inside((2, 3), bent)
assert isinstance(inside((1, 1), square), (bool, np.bool_)) if "np" in globals() else True
### END HIDDEN TESTS
