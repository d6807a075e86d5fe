# ---
# title: Codes are rounded but stay floats
# kind: wrong
# base: reference
# lost: [test_to_codes]
# ---

# %% to_codes
def to_codes(values, scale, zero_point):
    return np.clip(np.round(values / scale) + zero_point, -128, 127)
