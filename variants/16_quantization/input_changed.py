# ---
# title: Dequantizing calculates in the Tensor that it is given, and hands it back
# kind: claim
# base: reference
# lost: [test_dequantize_int8]
# ---

# %% dequantize_int8
def dequantize_int8(q_tensor, scale, zero_point):
    q_tensor.data = (scale * (q_tensor.data.astype(np.float32) - zero_point)).astype(np.float32)
    return q_tensor
