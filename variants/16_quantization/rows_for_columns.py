# ---
# title: A scale for each row instead of each column
# kind: wrong
# base: reference
# lost: [test_quantize_per_channel]
# ---

# %% quantize_per_channel
def quantize_per_channel(weight: Tensor) -> tuple[Tensor, np.ndarray, np.ndarray]:
    outputs = weight.shape[0]
    codes, scales, zero_points = np.empty(weight.shape, dtype=np.int8), np.empty(outputs), np.empty(outputs, dtype=int)
    for place in range(outputs):
        column, scales[place], zero_points[place] = quantize_int8(Tensor(weight.data[place]))
        codes[place] = column.data
    return Tensor(codes), scales, zero_points
