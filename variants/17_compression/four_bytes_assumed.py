# ---
# title: Every number has four bytes
# kind: wrong
# base: reference
# lost: [test_stored_bytes]
# ---

# %% stored_bytes
def stored_bytes(model):
    total = 0
    for tensor in model_parameters(model):
        size = 4 * tensor.size
        if len(tensor.shape) >= 2:
            size = min(size, -(-tensor.size // 8) + 4 * int(np.count_nonzero(tensor.data)))
        total += size
    return total
