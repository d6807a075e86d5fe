# ---
# title: Three functions in the first cell, and the other two cells empty
# kind: correct
# base: reference
# lost: []
# ---

# %% affine_parameters
def affine_parameters(low, high):
    low, high = min(float(low), 0.0), max(float(high), 0.0)
    width = high - low
    return (width / 255, round(-128 - 255 * low / width)) if width else (1.0, 0)


def to_codes(values, scale, zero_point):
    return (np.rint(np.asarray(values, dtype=float) / scale) + zero_point).clip(-128, 127).astype(np.int8)


def dequantize_int8(q_tensor, scale, zero_point):
    return Tensor((scale * (q_tensor.data.astype(float) - zero_point)).astype(np.float32))

# %% to_codes
# see the first cell

# %% dequantize_int8
# see the first cell
