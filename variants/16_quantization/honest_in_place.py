# ---
# title: Arrays are calculated in place, with out=
# kind: correct
# base: reference
# lost: []
# ---

# %% to_codes
def to_codes(values, scale, zero_point):
    steps = np.array(values, dtype=np.float64)
    steps /= scale
    np.rint(steps, out=steps)
    steps += zero_point
    np.clip(steps, -128, 127, out=steps)
    return steps.astype(np.int8)

# %% int8_matmul
def int8_matmul(x_codes, x_zero_point, w_codes, w_zero_point):
    x = x_codes.astype(np.int32)
    w = w_codes.astype(np.int32)
    x -= x_zero_point
    w -= w_zero_point
    return np.matmul(x, w)
