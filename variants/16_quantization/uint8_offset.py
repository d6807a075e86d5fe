# ---
# title: Unsigned codes from 0 to 255 (policy case, round-trips but breaks the contract)
# kind: policy
# base: reference
# lost: [test_affine_parameters, test_to_codes]
# ---

# %% affine_parameters
def affine_parameters(low, high):
    low, high = min(float(low), 0.0), max(float(high), 0.0)
    if low == high:
        return 1.0, 0
    scale = (high - low) / 255
    return scale, round(-low / scale)

# %% to_codes
def to_codes(values, scale, zero_point):
    return np.clip(np.rint(values / scale) + zero_point, 0, 255).astype(np.uint8)
