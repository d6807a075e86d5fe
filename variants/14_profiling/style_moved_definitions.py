# ---
# title: Writes a function in another cell than its own, and takes help from elsewhere
# kind: correct
# base: reference
# lost: []
# ---

# %% window_places
def window_places(size, window, stride, padding):
    return _places(size[0], window[0], stride[0], padding[0]), _places(size[1], window[1], stride[1], padding[1])


def conv2d_flops(output_shape, in_channels, window):
    return 2 * _all_of((*output_shape, in_channels, *window))


def _all_of(shape):
    product = 1
    for length in shape:
        product *= length
    return product


def _places(length, wide, step, zeros):
    ends = range(wide, length + zeros + zeros + 1, step)
    if len(ends) == 0:
        raise ValueError(f"{wide} is wider than {length}")
    return len(ends)

# %% conv2d_flops
# (is written above, where the windows are)
