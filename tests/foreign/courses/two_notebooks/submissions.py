# ==== honest: square roots, and indices with the remainder
# %% distance
def distance(p, q):
    (a, b), (c, d) = p, q
    return ((a - c) ** 2 + (b - d) ** 2) ** 0.5
# %% perimeter
def perimeter(points):
    n, total = len(points), 0
    for k in range(n):
        total += distance(points[k], points[(k + 1) % n])
    return total
# %% area
def area(points):
    n = len(points)
    return abs(sum(points[k][0] * points[(k + 1) % n][1] - points[(k + 1) % n][0] * points[k][1] for k in range(n))) / 2
# ==== honest: numpy in both
# %% distance
import numpy as np

def distance(p, q):
    return np.linalg.norm(np.subtract(p, q))
# %% perimeter
def perimeter(points):
    corners = np.array(points + points[:1])
    return np.sqrt((np.diff(corners, axis=0) ** 2).sum(axis=1)).sum()
# %% area
import numpy as np
def area(points):
    x, y = np.array(points).T
    return 0.5 * abs(np.dot(x, np.roll(y, -1)) - np.dot(y, np.roll(x, -1)))
# %% inside
def inside(point, points):
    px, py = point
    result = False
    j = len(points) - 1
    for i in range(len(points)):
        xi, yi = points[i]
        xj, yj = points[j]
        if (yi > py) != (yj > py):
            if px < (xj - xi) * (py - yi) / (yj - yi) + xi:
                result = not result
        j = i
    return result
# ==== honest: complex numbers, and cells that look at the data
# %% + after:imports1
!head -2 geometry.txt
print(read_points("geometry.txt"))
# %% distance
def distance(p, q):
    return abs(complex(*p) - complex(*q))
# %% + after:area
print("area:", area(read_points("geometry.txt")))
area([(0, 0), (1, 0), (1, 1)])
# ==== mistake: not closed, and an area with a sign
# %% perimeter
def perimeter(points):
    return sum(distance(p, q) for p, q in zip(points, points[1:]))
# %% area
def area(points):
    total = 0
    for (x1, y1), (x2, y2) in zip(points, points[1:] + points[:1]):
        total += x1 * y2 - x2 * y1
    return total / 2
# ==== mistake: taxi distance, and a box for the inside
# %% distance
def distance(p, q):
    return abs(p[0] - q[0]) + abs(p[1] - q[1])
# %% inside
def inside(point, points):
    xs = [x for x, _ in points]
    ys = [y for _, y in points]
    return min(xs) < point[0] < max(xs) and min(ys) < point[1] < max(ys)
# ==== mistake: stops in the middle of a cell
# %% perimeter
def perimeter(points):
    for p in points:
        distance(p
# %% inside
def inside(point, points):
    raise NotImplementedError()
