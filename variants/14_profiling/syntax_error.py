# ---
# title: A parenthesis is missing in one cell
# kind: broken
# base: reference
# lost: [test_conv2d_flops]
# ---

# %% conv2d_flops
def conv2d_flops(output_shape, in_channels, window):
    return 2 * prod(output_shape) * (in_channels * window[0] * window[1]
