# ---
# title: Counts only the numbers that are not zero
# kind: wrong
# base: reference
# lost: [test_stored_bytes]
# ---

# %% stored_bytes
def stored_bytes(model):
    total = 0
    for tensor in model_parameters(model):
        total += int(np.count_nonzero(tensor.data)) * tensor.dtype.itemsize if len(tensor.shape) >= 2 else tensor.nbytes
    return total
