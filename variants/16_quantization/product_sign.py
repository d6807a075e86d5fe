# ---
# title: The column sums are added instead of subtracted
# kind: wrong
# base: reference
# lost: [test_int8_matmul]
# ---

# %% int8_matmul
def int8_matmul(x_codes: np.ndarray, x_zero_point: int, w_codes: np.ndarray, w_zero_point: int) -> np.ndarray:
    x, w = x_codes.astype(np.int32), w_codes.astype(np.int32)
    sums: np.ndarray = x @ w
    row_sums = x.sum(axis=-1, keepdims=True, dtype=np.int32)
    column_sums = w.sum(axis=0, dtype=np.int32)
    constant = np.int32(w.shape[0] * x_zero_point * w_zero_point)
    sums += constant - np.int32(w_zero_point) * row_sums + np.int32(x_zero_point) * column_sums
    return sums
