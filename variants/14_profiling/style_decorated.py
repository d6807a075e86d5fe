# ---
# title: Functions under decorators of the student's own, and cached ones
# kind: correct
# base: reference
# lost: []
# ---

# %% linear_flops
import functools


def in_flops(multiply_adds):
    """Of a function that counts multiply-adds makes one that counts operations."""

    @functools.wraps(multiply_adds)
    def wrapper(*arguments, **keywords):
        return 2 * multiply_adds(*arguments, **keywords)

    return wrapper


@in_flops
def linear_flops(input_shape, out_features):
    return prod(input_shape) * out_features

# %% window_places
### EQUIVALENT 2171d6dd by places: a cache changes no result
@functools.lru_cache
def along(length, window, stride, padding):
    room = length + 2 * padding - window
    if room < 0:
        raise ValueError
    return room // stride + 1


def window_places(size, window, stride, padding):
    return tuple(map(along, size, window, stride, padding))

# %% conv2d_flops
@in_flops
def conv2d_flops(output_shape, in_channels, window):
    return prod((*output_shape, in_channels, *window))

# %% attention_flops
### EQUIVALENT 8da6a5f1 by counts: a cache changes no result
@functools.cache
def attention_flops(batch: int, tokens: int, width: int, heads: int) -> int:
    scores = heads * tokens * tokens
    multiply_adds = scores * (width // heads) + tokens * width * tokens
    return batch * (2 * multiply_adds + scores)
