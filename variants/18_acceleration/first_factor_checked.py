# ---
# title: Only the first factor is checked
# kind: wrong
# base: reference
# lost: [test_vectorized_matmul]
# ---

# %% vectorized_matmul
def vectorized_matmul(a, b):
    if len(a.shape) < 2:
        raise ValueError("no matrix")
    return Tensor(np.matmul(a.data, b.data))
