# ---
# title: functools wherever it can be
# kind: correct
# base: reference
# lost: []
# ---

# %% improvements
from functools import reduce


def improvements(base, other):
    def step(factors, name):
        if not (base[name] > 0 < other[name]):
            raise ValueError(name)
        key, factor = ("accuracy_retention", other[name] / base[name]) if name == "accuracy" else (name + "_speedup", base[name] / other[name])
        return factors | {key: factor}

    if set(base) ^ set(other):
        raise ValueError("names")
    return reduce(step, base, {})
