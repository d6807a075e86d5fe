# ---
# title: The result is rounded as well
# kind: wrong
# base: reference
# lost: [test_mixed_matmul]
# ---

# %% mixed_matmul
def mixed_matmul(a, b):
    product = a.astype(np.float16).astype(np.float32) @ b.astype(np.float16).astype(np.float32)
    return product.astype(np.float16).astype(np.float32)
