# ---
# title: Codes outside the range wrap around
# kind: wrong
# base: reference
# lost: [test_to_codes]
# ---

# %% to_codes
def to_codes(values, scale, zero_point):
    codes = np.round(values / scale) + zero_point
    return codes.astype(np.int64).astype(np.int8)
