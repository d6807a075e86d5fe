# ==== honest: recursion, and while loops
# %% bisect
def bisect(f, a, b, tolerance=1e-10):
    if np.sign(f(a)) == np.sign(f(b)):
        raise ValueError("no change of sign")
    m = 0.5 * (a + b)
    if b - a < tolerance or f(m) == 0:
        return m
    return bisect(f, a, m, tolerance) if np.sign(f(a)) != np.sign(f(m)) else bisect(f, m, b, tolerance)
# %% measure
tolerances = [0.1, 0.01, 0.001]
steps = []
for t in tolerances:
    a, b, n = 0, 1, 0
    while b - a > t:
        m = (a + b) / 2
        if m < 0.3: a = m
        else: b = m
        n += 1
    steps.append(n)
print(steps)
# %% newton
def newton(f, df, x0, steps=30):
    xs, change = [x0], np.inf
    while len(xs) <= steps and abs(change) >= 1e-12:
        change = f(xs[-1]) / df(xs[-1])
        xs.append(xs[-1] - change)
    return xs
# ==== honest: scipy where it helps, and tuples
# %% bisect
def bisect(f, a, b, tolerance=1e-10):
    return optimize.bisect(f, a, b, xtol=tolerance)
# %% measure
def steps_for(tolerance):
    result = optimize.bisect(lambda x: x - 0.3, 0, 1, xtol=tolerance, full_output=True)[1]
    return result.iterations

tolerances = [1e-1, 1e-2, 1e-3] + ([1e-4, 1e-5, 1e-6] if FULL else [])
steps = [steps_for(t) for t in tolerances]
# %% fixed_point
def fixed_point(g, x, tolerance=1e-9):
    count = 0
    while True:
        count += 1
        x, old = g(x), x
        if np.max(np.abs(x - old)) < tolerance:
            return x, count
# %% polynomial
from numpy.polynomial import Polynomial
def real_zeros(coefficients):
    return sorted(z.real for z in Polynomial(coefficients[::-1]).roots() if abs(z.imag) < 1e-8)
# ==== honest: divides by zero on the way, and has warnings on the screen
# %% newton
def newton(f, df, x0, steps=30):
    xs = np.zeros(steps + 1)
    xs[0] = x0
    for k in range(steps):
        xs[k + 1] = xs[k] - np.float64(f(xs[k])) / df(xs[k])
        if abs(xs[k + 1] - xs[k]) < 1e-12:
            return list(xs[:k + 2])
    return list(xs)
# %% + after:newton
newton(lambda x: x, lambda x: 0.0 * x, 1.0, steps=2)
# %% + after:bisect
xs = np.linspace(0, 2, 5)
for x in xs:
    print(f"{x:.2f} {x ** 2 - 2:+.3f}")
# ==== mistake: no error for equal signs, and the last iterate only
# %% bisect
def bisect(f, a, b, tolerance=1e-10):
    while b - a > tolerance:
        m = (a + b) / 2
        if f(a) * f(m) <= 0:
            b = m
        else:
            a = m
    return a
# %% newton
def newton(f, df, x0, steps=30):
    for _ in range(steps):
        x0 = x0 - f(x0) / df(x0)
    return x0
# ==== mistake: complex zeros too, and never stops early
# %% polynomial
def real_zeros(coefficients):
    return np.sort(np.roots(coefficients))
# %% newton
def newton(f, df, x0, steps=30):
    xs = [x0]
    for _ in range(steps):
        xs.append(xs[-1] - f(xs[-1]) / df(xs[-1]))
    return xs
# ==== mistake: full lists although there is no time, and no count
# %% fixed_point
def fixed_point(g, x, tolerance=1e-9):
    new = g(x)
    while np.linalg.norm(new - x) > tolerance:
        x, new = new, g(new)
    return new
# %% measure
tolerances = [10.0 ** -k for k in range(1, 9)]
steps = [int(np.log2(1 / t)) for t in tolerances]
