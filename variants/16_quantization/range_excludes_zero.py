# ---
# title: The range is not widened, the zero point is clipped instead
# kind: wrong
# base: reference
# lost: [test_affine_parameters]
# ---

# %% affine_parameters
def affine_parameters(low, high):
    low, high = float(low), float(high)
    if high - low < 1e-8:
        return 1.0, 0
    scale = (high - low) / 255
    zero_point = int(np.clip(round(-128 - low / scale), -128, 127))
    return scale, zero_point
