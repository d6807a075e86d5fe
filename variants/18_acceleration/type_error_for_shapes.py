# ---
# title: Another kind of error for shapes that do not fit
# kind: wrong
# base: reference
# lost: [test_vectorized_matmul]
# ---

# %% vectorized_matmul
def vectorized_matmul(a, b):
    if len(a.shape) < 2 or len(b.shape) < 2 or a.shape[-1] != b.shape[-2]:
        raise TypeError("no product")
    return Tensor(np.matmul(a.data, b.data))
