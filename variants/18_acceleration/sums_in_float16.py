# ---
# title: Stored and added up in float16
# kind: wrong
# base: reference
# lost: [test_mixed_matmul]
# ---

# %% mixed_matmul
def mixed_matmul(a, b):
    return np.matmul(a.astype(np.float16), b.astype(np.float16)).astype(np.float32)
