# ---
# title: The kernel is taken for a square
# kind: wrong
# base: reference
# lost: [test_conv2d_flops]
# ---

# %% conv2d_flops
def conv2d_flops(output_shape: Shape, in_channels: int, window: tuple[int, int]) -> int:
    terms = in_channels * window[0] ** 2
    return 2 * prod(output_shape) * terms
