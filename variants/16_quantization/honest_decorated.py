# ---
# title: A decorator of one's own around the functions, and prints
# kind: correct
# base: reference
# lost: []
# ---

# %% affine_parameters
import functools


def noted(function):
    @functools.wraps(function)
    def wrapper(*arguments, **keywords):
        print("called with", len(arguments), "arguments")
        return function(*arguments, **keywords)

    ### EQUIVALENT da486912 by ranges: the decorator only watches
    return wrapper


### EQUIVALENT 92193f41 by ranges: the decorator only watches
@noted
def affine_parameters(low, high):
    low, high = float(min(low, 0)), float(max(high, 0))
    print("a range from", low, "to", high)
    if high == low:
        return 1.0, 0
    scale = (high - low) / 255
    return scale, int(round(-128 - low / scale))

# %% calibration_range
### EQUIVALENT 92193f41 by ranges: the decorator only watches
@noted
def calibration_range(sample_inputs):
    ends = [end for sample in sample_inputs for end in (sample.data.min(), sample.data.max())]
    return affine_parameters(min(ends), max(ends))
