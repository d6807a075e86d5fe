# ---
# title: Generators where lists would do
# kind: correct
# base: reference
# lost: []
# ---

# %% improvements
def improvements(base, other):
    def pairs():
        for name, before in base.items():
            after = other[name]
            if not (before > 0 and after > 0):
                raise ValueError(name)
            yield ("accuracy_retention", after / before) if name == "accuracy" else (f"{name}_speedup", before / after)

    if list(sorted(base)) != list(sorted(other)):
        raise ValueError("names")
    return dict(pairs())
