# ---
# title: Numpy scalars for numbers, tuples for lists
# kind: correct
# base: reference
# lost: []
# ---

# %% measure_sparsity
def measure_sparsity(model):
    weights = weights_of(model)
    if not weights:
        raise ValueError("no weights")
    zeros = np.sum([np.sum(weight.data == 0) for weight in weights])
    ### EQUIVALENT 35b3cea8 by measured: the division is in float64
    return np.float64(zeros) / np.sum([weight.size for weight in weights])

# %% stored_bytes
def stored_bytes(model):
    ### EQUIVALENT 56568135 by stored: as many bytes in fewer bits
    total = np.int64(0)
    for tensor in model_parameters(model):
        ### EQUIVALENT 89f0e92d by stored: as many bytes in fewer bits
        plain = np.int64(tensor.nbytes)
        if len(tensor.shape) > 1:
            ### EQUIVALENT 8473ec6c by stored: as many bytes in fewer bits
            bits = np.ceil(tensor.size / 8).astype(np.int64)
            plain = np.minimum(plain, bits + np.count_nonzero(tensor.data) * tensor.dtype.itemsize)
        total = total + plain
    return total

# %% choose_sparsities
def choose_sparsities(scores, sizes, sparsities, most_left):
    for floor in np.sort(np.ravel(scores))[::-1]:
        chosen = tuple(
            np.float64(max([share for share, score in zip(sparsities, row) if score >= floor], default=0)) for row in scores
        )
        if np.sum([size - round(float(share) * size) for share, size in zip(chosen, sizes)]) <= most_left:
            return chosen
    raise ValueError("not to be met")
