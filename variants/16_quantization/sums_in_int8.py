# ---
# title: Sums of codes are added up in int8
# kind: wrong
# base: reference
# lost: [test_int8_matmul]
# ---

# %% int8_matmul
def int8_matmul(x_codes, x_zero_point, w_codes, w_zero_point):
    return ((x_codes - x_zero_point) @ (w_codes - w_zero_point)).astype(np.int32)
