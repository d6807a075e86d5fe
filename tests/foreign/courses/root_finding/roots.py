# %% [markdown]
# # Zeros of functions
# Numerical methods, first sheet. While your notebook is graded, long runs are skipped: see `FULL`.

# %% locked="imports"
import os
import numpy as np
from scipy import optimize

FULL = "NBGRADER_EXECUTION" not in os.environ  # whether there is time for all

# %% solution="bisect"
def bisect(f, a, b, tolerance=1e-10):
    """A zero of f between a and b, where f has other signs. Raise ValueError where it has not."""
    ### BEGIN SOLUTION
    fa, fb = f(a), f(b)
    if fa * fb > 0:
        raise ValueError("f has the same sign at both ends")
    while b - a > tolerance:
        middle = (a + b) / 2
        fm = f(middle)
        if fa * fm <= 0:
            b = middle
        else:
            a, fa = middle, fm
    return (a + b) / 2
    ### END SOLUTION

# %% test="test_bisect" points=2
assert abs(bisect(lambda x: x ** 2 - 2, 0, 2) - np.sqrt(2)) < 1e-8
### BEGIN HIDDEN TESTS
from numpy.testing import assert_allclose
assert_allclose(bisect(np.cos, 1, 2), np.pi / 2, atol=1e-8)
try:
    bisect(np.exp, -1, 1)
    assert False, "exp has no zero"
except ValueError:
    pass
### END HIDDEN TESTS

# %% solution="newton"
def newton(f, df, x0, steps=30):
    """Newton's method: the list of all iterates, x0 first. Stop after an iterate that changes by less than 1e-12."""
    ### BEGIN SOLUTION
    xs = [x0]
    for _ in range(steps):
        xs.append(xs[-1] - f(xs[-1]) / df(xs[-1]))
        if abs(xs[-1] - xs[-2]) < 1e-12:
            break
    return xs
    ### END SOLUTION

# %% test="test_newton" points=2
xs = newton(lambda x: x ** 2 - 2, lambda x: 2 * x, 1.0)
assert xs[0] == 1.0 and abs(xs[1] - 1.5) < 1e-14
assert abs(xs[-1] - 2 ** 0.5) < 1e-12
### BEGIN HIDDEN TESTS
assert len(xs) < 9, "stop when there is no change any more"
assert_allclose(newton(np.sin, np.cos, 3.0)[-1], np.pi)
evaluated = []
def cubic(x):
    evaluated.append(x)
    return x ** 3 - 1
newton(cubic, lambda x: 3 * x ** 2, 2.0, steps=3)
assert 3 <= len(evaluated) <= 4
### END HIDDEN TESTS

# %% solution="fixed_point"
def fixed_point(g, x, tolerance=1e-9):
    ### BEGIN SOLUTION
    for count in range(1, 1001):
        new = g(x)
        if np.linalg.norm(new - x) < tolerance:
            return new, count
        x = new
    raise RuntimeError("no convergence")
    ### END SOLUTION

# %% test="test_fixed_point" points=2
x, count = fixed_point(np.cos, 1.0)
assert abs(x - np.cos(x)) < 1e-8
assert count < 100
### BEGIN HIDDEN TESTS
A = np.array([[0.2, 0.1], [0.0, 0.3]])
b = np.array([1.0, 2.0])
z, _ = fixed_point(lambda v: A @ v + b, np.zeros(2))
assert_allclose(z, np.linalg.solve(np.eye(2) - A, b), rtol=1e-6)
### END HIDDEN TESTS

# %% [markdown]
# Measure: how many steps does `bisect` take for a tolerance? Fill `tolerances` and `steps` (lists of one length), a long
# list if `FULL` is true and only three otherwise.

# %% solution="measure"
### BEGIN SOLUTION
tolerances = [10.0 ** -k for k in range(1, 13 if FULL else 4)]
steps = []
for tolerance in tolerances:
    calls = []
    bisect(lambda x: calls.append(x) or x - 0.3, 0, 1, tolerance)
    steps.append(len(calls) - 2)
### END SOLUTION

# %% test="test_measure" points=2
assert len(steps) == len(tolerances) >= 3
assert steps == sorted(steps), "a smaller tolerance takes more steps"
if not FULL:
    assert len(steps) == 3, "be quick while your work is graded"
### BEGIN HIDDEN TESTS
assert os.environ["NBGRADER_EXECUTION"] == "autograde"
assert all(abs(n - np.log2(1 / t)) <= 2 for n, t in zip(steps, tolerances))
### END HIDDEN TESTS

# %% solution="polynomial"
def real_zeros(coefficients):
    """The real zeros of a polynomial, ascending; the highest coefficient first."""
    ### BEGIN SOLUTION
    zeros = np.roots(coefficients)
    return np.sort(zeros[np.abs(zeros.imag) < 1e-9].real)
    ### END SOLUTION

# %% test="test_polynomial" points=2
assert np.allclose(real_zeros([1, -3, 2]), [1, 2])
### BEGIN HIDDEN TESTS
assert_allclose(real_zeros([1, 0, 0, -8]), [2.0])
assert len(real_zeros([1, 0, 1])) == 0
zero = optimize.brentq(lambda x: np.polyval([2, 1, -7], x), 0, 5)
assert_allclose(real_zeros([2, 1, -7])[-1], zero)
### END HIDDEN TESTS
