# ---
# title: A loop that never ends in dequantize_int8
# kind: endless
# base: reference
# lost: [test_dequantize_int8]
# ---

# %% dequantize_int8
def dequantize_int8(q_tensor, scale, zero_point):
    values = np.zeros(q_tensor.data.size, dtype=np.float32)
    index = 0
    while True:
        if index < values.size:
            values[index] = scale * (int(q_tensor.data.flat[index]) - zero_point)
    return Tensor(values.reshape(q_tensor.data.shape))
