# ---
# title: The range is taken from the first 8,192 values
# kind: wrong
# base: reference
# lost: [test_quantize_int8]
# ---

# %% quantize_int8
def quantize_int8(tensor: Tensor) -> tuple[Tensor, float, int]:
    scale, zero_point = affine_parameters(tensor.data.ravel()[:8192].min(), tensor.data.ravel()[:8192].max())
    return Tensor(to_codes(tensor.data, scale, zero_point)), scale, zero_point
