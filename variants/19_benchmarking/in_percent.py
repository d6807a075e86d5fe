# ---
# title: Factors in percent
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
            other[name] / base[name] if name == "accuracy" else 100 * base[name] / other[name]
        )
        for name in base
    }
