# %% total
import functools
import operator

total = lambda vs: float(functools.reduce(operator.add, vs, 0.0))

# %% shares
class Shares:
    def __call__(self, vs): return (a := as_floats(vs)) / a.sum()
shares = Shares()

# %% running
def running(vs): return [float(sum(vs[: i + 1])) for i, _ in enumerate(vs)]

# %% largest
largest = functools.partial(max, default=None)
