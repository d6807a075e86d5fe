# ---
# title: functools.reduce, partial and the operators as functions
# kind: correct
# base: reference
# lost: []
# ---

# %% linear_flops
import functools
import operator

times = functools.partial(functools.reduce, operator.mul)


def linear_flops(input_shape, out_features):
    return times(input_shape, 2 * out_features)

# %% conv2d_flops
def conv2d_flops(output_shape, in_channels, window):
    return times([times(output_shape), in_channels, times(window)], 2)

# %% layer_cost
def _then(so_far, part):
    cost = layer_cost(part, so_far.output_shape)
    ### EQUIVALENT ad8d382a by costs: a sum has no order
    return Cost(*map(operator.add, (so_far.flops, so_far.traffic), (cost.flops, cost.traffic)), cost.output_shape)


def layer_cost(model, input_shape):
    if (parts := parts_of(model)) is not None:
        return functools.reduce(_then, parts, Cost(0, 0, input_shape))
    rule = rule_of(model)
    if callable(rule):
        return rule(model, input_shape)
    raise TypeError("{0.__name__} is not known".format(type(model)))
