# ---
# title: Leaves the check to numpy, which multiplies vectors too
# kind: wrong
# base: reference
# lost: [test_vectorized_matmul]
# ---

# %% vectorized_matmul
def vectorized_matmul(a, b):
    return Tensor(np.matmul(a.data, b.data))
