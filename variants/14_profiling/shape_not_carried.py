# ---
# title: Each layer is asked about the model's input
# kind: wrong
# base: reference
# lost: [test_layer_cost]
# ---

# %% layer_cost
def layer_cost(model: Any, input_shape: Shape) -> Cost:
    parts = parts_of(model)
    if parts is None:
        rule = rule_of(model)
        if rule is None:
            name = type(model).__name__
            raise TypeError(
                f"no rule to count the operations of {name}: keep its layers in a list .layers, "
                f'or teach one with @cost_rule("{name}")'
            )
        return rule(model, input_shape)
    flops, traffic, shape = 0, 0, input_shape
    for part in parts:
        cost = layer_cost(part, input_shape)
        flops, traffic, shape = flops + cost.flops, traffic + cost.traffic, cost.output_shape
    return Cost(flops, traffic, shape)
