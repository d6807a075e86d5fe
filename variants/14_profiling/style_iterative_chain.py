# ---
# title: A stack of layers in place of recursion
# kind: correct
# base: reference
# lost: []
# ---

# %% layer_cost
def layer_cost(model, input_shape):
    waiting, flops, traffic, shape = [model], 0, 0, tuple(input_shape)
    while waiting:
        layer = waiting.pop(0)
        inside = parts_of(layer)
        if inside is not None:
            waiting[:0] = inside
            continue
        try:
            cost = rule_of(layer)(layer, shape)
        except TypeError:
            if rule_of(layer) is None:
                raise TypeError(f"I do not know {type(layer).__name__}.") from None
            raise
        flops += cost.flops
        traffic += cost.traffic
        shape = cost.output_shape
    return Cost(flops, traffic, shape)
