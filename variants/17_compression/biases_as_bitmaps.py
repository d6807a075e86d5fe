# ---
# title: Biases are stored as bitmaps, too
# kind: wrong
# base: reference
# lost: [test_stored_bytes]
# ---

# %% stored_bytes
def stored_bytes(model):
    total = 0
    for tensor in model_parameters(model):
        bitmap = -(-tensor.size // 8) + int(np.count_nonzero(tensor.data)) * tensor.dtype.itemsize
        total += min(tensor.nbytes, bitmap)
    return total
