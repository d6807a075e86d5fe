# ---
# title: The zero point is subtracted in int8
# kind: wrong
# base: reference
# lost: [test_dequantize_int8]
# ---

# %% dequantize_int8
def dequantize_int8(q_tensor: Tensor, scale: float, zero_point: int) -> Tensor:
    return Tensor(scale * (q_tensor.data - np.int8(zero_point)))
