# ---
# title: A parenthesis is missing in one cell
# kind: broken
# base: reference
# lost: [test_int8_matmul]
# ---

# %% int8_matmul
def int8_matmul(x_codes, x_zero_point, w_codes, w_zero_point):
    x = (x_codes.astype(np.int32) - x_zero_point
    return x @ (w_codes.astype(np.int32) - w_zero_point)
