# ---
# title: All columns at once, without a loop
# kind: correct
# base: reference
# lost: []
# ---

# %% quantize_per_channel
def quantize_per_channel(weight):
    values = weight.data.astype(np.float64)
    low, high = np.minimum(values.min(axis=0), 0), np.maximum(values.max(axis=0), 0)
    empty = high == low
    scales = np.where(empty, 1.0, (high - low) / 255)
    zero_points = np.where(empty, 0, np.rint(-128 - low / scales)).astype(np.int64)
    codes = np.rint(values / scales) + zero_points
    return Tensor(codes.astype(np.int8)), scales, zero_points
