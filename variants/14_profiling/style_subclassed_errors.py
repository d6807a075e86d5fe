# ---
# title: Errors of an own kind, one under the other, with messages of their own
# kind: correct
# base: reference
# lost: []
# ---

# %% window_places
class ProfilingError(Exception):
    """Whatever goes wrong here."""


class DoesNotFit(ProfilingError, ValueError):
    def __init__(self, window, size):
        self.window, self.size = window, size

    def __str__(self):
        return f"{self.window} on {self.size}"


def window_places(size, window, stride, padding):
    padded = [length + 2 * zeros for length, zeros in zip(size, padding)]
    if any(length < wide for length, wide in zip(padded, window)):
        raise DoesNotFit(window, padded)
    return tuple((length - wide + step) // step for length, wide, step in zip(padded, window, stride))

# %% layer_cost
class NoRule(ProfilingError, TypeError):
    def __init__(self, layer):
        self.layer = layer

    def __str__(self):
        ### EQUIVALENT 07312849 by costs: the message still names the class
        return "no rule for " + self.layer.__class__.__qualname__


def layer_cost(model, input_shape):
    parts = parts_of(model)
    if parts is None:
        rule = rule_of(model)
        try:
            return rule(model, input_shape)
        except TypeError as error:
            if rule is None:
                raise NoRule(model) from error
            raise
    costs = [Cost(0, 0, input_shape)]
    for part in parts:
        costs += [layer_cost(part, costs[-1].output_shape)]
    return Cost(sum(c.flops for c in costs), sum(c.traffic for c in costs), costs[-1].output_shape)
