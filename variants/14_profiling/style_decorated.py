# ---
# title: Functions under decorators of the student's own, and cached ones
# kind: correct
# base: reference
# lost: []
# ---

# %% linear_flops
import functools


def counted(function):
    """Counts how often a function is called."""

    @functools.wraps(function)
    def wrapper(*arguments, **keywords):
        wrapper.calls += 1
        return function(*arguments, **keywords)

    wrapper.calls = 0
    return wrapper


@counted
def linear_flops(input_shape, out_features):
    return 2 * prod(input_shape) * out_features

# %% window_places
@functools.lru_cache
def along(length, window, stride, padding):
    room = length + 2 * padding - window
    if room < 0:
        raise ValueError
    return room // stride + 1


@counted
def window_places(size, window, stride, padding):
    return tuple(map(along, size, window, stride, padding))

# %% attention_flops
@functools.cache
def attention_flops(batch: int, tokens: int, width: int, heads: int) -> int:
    scores = heads * tokens * tokens
    multiply_adds = scores * (width // heads) + tokens * width * tokens
    return batch * (2 * multiply_adds + scores)
