# ---
# title: dequantize_int8 returns an array instead of a Tensor
# kind: wrong
# base: reference
# lost: [test_dequantize_int8]
# ---

# %% dequantize_int8
def dequantize_int8(q_tensor: Tensor, scale: float, zero_point: int) -> Tensor:
    return np.float32(scale * (q_tensor.data.astype(np.float32) - zero_point))
