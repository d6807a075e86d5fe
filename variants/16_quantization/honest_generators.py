# ---
# title: Generators, chains and reductions
# kind: correct
# base: reference
# lost: []
# ---

# %% calibration_range
from functools import reduce
from itertools import chain


def calibration_range(sample_inputs):
    numbers = chain.from_iterable(sample.data.ravel().tolist() for sample in sample_inputs)
    low, high = reduce(lambda ends, number: (min(ends[0], number), max(ends[1], number)), numbers, (inf, -inf))
    return affine_parameters(low, high)


inf = float("inf")

# %% model_bytes
def bytes_in(model):
    for layer in flat_layers(model):
        if hasattr(layer, "memory_usage"):
            yield layer.memory_usage()["quantized_bytes"]
        else:
            yield from (parameter.nbytes for parameter in parameters_of(layer))


def model_bytes(model):
    return int(sum(bytes_in(model)))
