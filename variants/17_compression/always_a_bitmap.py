# ---
# title: Stores every weight as a bitmap, also where that is dearer
# kind: wrong
# base: reference
# lost: [test_stored_bytes]
# ---

# %% stored_bytes
def stored_bytes(model):
    total = 0
    for tensor in model_parameters(model):
        size = tensor.nbytes
        if len(tensor.shape) >= 2:
            size = -(-tensor.size // 8) + int(np.count_nonzero(tensor.data)) * tensor.dtype.itemsize
        total += size
    return total
