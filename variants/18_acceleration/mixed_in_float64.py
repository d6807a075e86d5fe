# ---
# title: The sums in float64
# kind: wrong
# base: reference
# lost: [test_mixed_matmul]
# ---

# %% mixed_matmul
def mixed_matmul(a, b):
    return a.astype(np.float16).astype(np.float64) @ b.astype(np.float16).astype(np.float64)
