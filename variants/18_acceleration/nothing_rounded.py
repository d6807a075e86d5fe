# ---
# title: float32 throughout
# kind: wrong
# base: reference
# lost: [test_mixed_matmul]
# ---

# %% mixed_matmul
def mixed_matmul(a, b):
    return np.matmul(a.astype(np.float32), b.astype(np.float32))
