# ---
# title: np.dot, which pairs all stacks with all
# kind: wrong
# base: reference
# lost: [test_vectorized_matmul]
# ---

# %% vectorized_matmul
def vectorized_matmul(a, b):
    if len(a.shape) < 2 or len(b.shape) < 2 or a.shape[-1] != b.shape[-2]:
        raise ValueError("no product")
    return Tensor(np.dot(a.data, b.data))
