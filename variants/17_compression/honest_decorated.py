# ---
# title: Decorators that finish what functions return
# kind: correct
# base: reference
# lost: []
# ---

# %% measure_sparsity
import functools


def as_share(function):
    """Of a pair of numbers, the first by the second."""

    @functools.wraps(function)
    def wrapper(*arguments):
        part, whole = function(*arguments)
        if whole == 0:
            raise ValueError("a share of nothing")
        return part / whole

    return wrapper


@as_share
def measure_sparsity(model):
    arrays = [weight.data for weight in weights_of(model)]
    return sum(int((array == 0).sum()) for array in arrays), sum(array.size for array in arrays)

# %% magnitude_prune
def giving_back(function):
    @functools.wraps(function)
    def wrapper(model, sparsity=0.9):
        function(model, sparsity)
        return model

    return wrapper


@giving_back
def magnitude_prune(model, sparsity):
    weights = weights_of(model)
    for weight, mask in zip(weights, magnitude_masks([each.data for each in weights], sparsity)):
        weight.data = weight.data * mask
