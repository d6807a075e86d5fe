# ---
# title: A parenthesis is missing in one cell
# kind: broken
# base: reference
# lost: [test_mixed_matmul]
# ---

# %% mixed_matmul
def mixed_matmul(a, b):
    return np.matmul(a.astype(np.float16).astype(np.float32), b.astype(np.float16).astype(np.float32)
