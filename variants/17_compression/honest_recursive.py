# ---
# title: Walks containers by recursion
# kind: correct
# base: reference
# lost: []
# ---

# %% weights_of
def weights_of(model):
    everything = model_parameters(model)

    def pick(rest):
        if not rest:
            return []
        first, *others = rest
        return ([first] if first.data.ndim >= 2 else []) + pick(others)

    return pick(everything)
