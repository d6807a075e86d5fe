# ---
# title: Decorators around the functions
# kind: correct
# base: reference
# lost: []
# ---

# %% blocks
import functools


def at_least_one(function):
    @functools.wraps(function)
    def checked(length, size):
        if size < 1:
            raise ValueError(f"no block of {size}")
        return function(length, size)

    return checked


@at_least_one
def blocks(length, size):
    return [slice(start, min(start + size, length)) for start in range(0, length, size)]

# %% conv2d_im2col
def conv2d_im2col(images, weight, bias=None, stride=(1, 1), padding=(0, 0)):
    o, _, *window = weight.shape
    output = np.matmul(weight.reshape(o, -1), im2col(images, tuple(window), stride, padding))
    output = output if bias is None else output + bias[:, None]
    return output.reshape(len(images), o, *window_places(images.shape[2:], tuple(window), stride, padding))
