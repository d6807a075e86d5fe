# ---
# title: An unknown layer counts as the elements of its input, as a public profiler does
# kind: wrong
# base: reference
# lost: [test_layer_cost]
# ---

# %% layer_cost
def layer_cost(model, input_shape):
    parts = parts_of(model)
    if parts is None:
        rule = rule_of(model)
        return rule(model, input_shape) if rule else Cost(prod(input_shape), 0, input_shape)
    flops, traffic, shape = 0, 0, input_shape
    for part in parts:
        cost = layer_cost(part, shape)
        flops, traffic, shape = flops + cost.flops, traffic + cost.traffic, cost.output_shape
    return Cost(flops, traffic, shape)
