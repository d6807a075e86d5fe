# ---
# title: A convolution is counted for one image
# kind: wrong
# base: reference
# lost: [test_conv2d_flops]
# ---

# %% conv2d_flops
def conv2d_flops(output_shape: Shape, in_channels: int, window: tuple[int, int]) -> int:
    terms = in_channels * window[0] * window[1]
    return 2 * prod(output_shape[1:]) * terms
