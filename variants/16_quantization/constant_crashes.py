# ---
# title: A tensor of equal values is divided by its own spread
# kind: wrong
# base: reference
# lost: [test_quantize_int8]
# ---

# %% quantize_int8
def quantize_int8(tensor: Tensor) -> tuple[Tensor, float, int]:
    if tensor.data.min() == tensor.data.max():
        raise ZeroDivisionError("all values are equal")
    scale, zero_point = affine_parameters(tensor.data.min(), tensor.data.max())
    return Tensor(to_codes(tensor.data, scale, zero_point)), scale, zero_point
