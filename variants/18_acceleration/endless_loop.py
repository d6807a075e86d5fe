# ---
# title: A loop that never ends in mixed_matmul, for products that are very small
# kind: endless
# base: reference
# lost: [test_mixed_matmul]
# ---

# %% mixed_matmul
def mixed_matmul(a, b):
    product = np.matmul(a.astype(np.float16), b.astype(np.float16), dtype=np.float32)
    factor = np.float32(1)
    while 0 < np.abs(product).max() < 1e-6:
        product = product * factor
    return product / factor
