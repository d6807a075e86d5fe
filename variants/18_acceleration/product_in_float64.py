# ---
# title: The product in float64
# kind: wrong
# base: reference
# lost: [test_vectorized_matmul]
# ---

# %% vectorized_matmul
def vectorized_matmul(a, b):
    if len(a.shape) < 2 or len(b.shape) < 2 or a.shape[-1] != b.shape[-2]:
        raise ValueError("no product")
    return Tensor(a.data.astype(float) @ b.data.astype(float), dtype=np.float64)
