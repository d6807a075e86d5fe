# ---
# title: A latency of 0 is infinitely fast
# kind: wrong
# base: reference
# lost: [test_improvements]
# ---

# %% improvements
def improvements(base: Mapping[str, float], other: Mapping[str, float]) -> dict[str, float]:
    if set(base) != set(other):
        raise ValueError("figures above 0 are compared, of the same names")
    return {
        "accuracy_retention" if name == "accuracy" else f"{name}_speedup": (
            other[name] / base[name] if name == "accuracy" else float(np.divide(base[name], other[name]))
        )
        for name in base
    }
