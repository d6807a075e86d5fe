# ---
# title: The zero point has the wrong sign
# kind: wrong
# base: reference
# lost: [test_affine_parameters]
# ---

# %% affine_parameters
def affine_parameters(low: float, high: float) -> tuple[float, int]:
    low, high = min(float(low), 0.0), max(float(high), 0.0)
    if low == high:
        return 1.0, 0
    scale = (high - low) / (INT8_MAX - INT8_MIN)
    zero_point = round(INT8_MIN + low / scale)
    return scale, zero_point
