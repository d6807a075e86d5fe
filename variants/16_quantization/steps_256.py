# ---
# title: 256 steps instead of 255
# kind: wrong
# base: reference
# lost: [test_affine_parameters]
# ---

# %% affine_parameters
def affine_parameters(low: float, high: float) -> tuple[float, int]:
    low, high = min(float(low), 0.0), max(float(high), 0.0)
    if low == high:
        return 1.0, 0
    scale = (high - low) / 256
    zero_point = round(INT8_MIN - low / scale)
    return scale, zero_point
