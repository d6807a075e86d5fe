# ---
# title: Only one vector is counted, however many there are
# kind: wrong
# base: reference
# lost: [test_linear_flops]
# ---

# %% linear_flops
def linear_flops(input_shape, out_features):
    return 2 * input_shape[-1] * out_features
