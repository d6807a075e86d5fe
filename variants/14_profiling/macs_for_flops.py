# ---
# title: Multiply-adds are reported as operations of a linear layer
# kind: wrong
# base: reference
# lost: [test_linear_flops]
# ---

# %% linear_flops
def linear_flops(input_shape: Shape, out_features: int) -> int:
    return prod(input_shape) * out_features
