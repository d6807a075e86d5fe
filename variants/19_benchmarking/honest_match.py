# ---
# title: Match statements for verdicts and names
# kind: correct
# base: reference
# lost: []
# ---

# %% improvements
def improvements(base, other):
    if base.keys() ^ other.keys():
        raise ValueError("names")
    factors = {}
    for name, before in base.items():
        after = other[name]
        if not before > 0 or not after > 0:
            raise ValueError(name)
        match name:
            case "accuracy":
                factors["accuracy_retention"] = after / before
            case _:
                factors[f"{name}_speedup"] = before / after
    return factors
