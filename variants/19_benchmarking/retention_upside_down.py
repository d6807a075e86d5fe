# ---
# title: Old by new for the accuracy
# kind: wrong
# base: reference
# lost: [test_improvements]
# ---

# %% improvements
def improvements(base: Mapping[str, float], other: Mapping[str, float]) -> dict[str, float]:
    if set(base) != set(other) or not all(figure > 0 for figure in (*base.values(), *other.values())):
        raise ValueError("figures above 0 are compared, of the same names")
    return {
        "accuracy_retention" if name == "accuracy" else f"{name}_speedup": (
            base[name] / other[name] if name == "accuracy" else base[name] / other[name]
        )
        for name in base
    }
