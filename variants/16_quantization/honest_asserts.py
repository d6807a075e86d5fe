# ---
# title: Checks its own work, and says what it does
# kind: correct
# base: reference
# lost: []
# ---

# %% dequantize_int8
def dequantize_int8(q_tensor, scale, zero_point):
    assert q_tensor.data.dtype == np.int8, "codes are int8"
    values = (q_tensor.data.astype(int) - int(zero_point)) * float(scale)
    result = Tensor(values.astype(np.float32))
    assert result.shape == q_tensor.shape
    print(f"restored {result.size} values")
    return result
