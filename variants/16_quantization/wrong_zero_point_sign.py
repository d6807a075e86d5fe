# ---
# title: Dequantizing adds the zero point
# kind: wrong
# base: reference
# lost: [test_dequantize_int8]
# ---

# %% dequantize_int8
def dequantize_int8(q_tensor, scale, zero_point):
    return Tensor(scale * (q_tensor.data.astype(np.float32) + zero_point))
