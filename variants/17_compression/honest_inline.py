# ---
# title: Every exercise by itself, none calls an earlier one
# kind: correct
# base: reference
# lost: []
# ---

# %% magnitude_prune
def magnitude_prune(model, sparsity=0.9):
    tensors = [tensor for tensor in model_parameters(model) if tensor.data.ndim >= 2]
    row = np.abs(np.concatenate([tensor.data.ravel() for tensor in tensors]))
    gone = np.argsort(row, kind="stable")[: round(sparsity * row.size)]
    start = 0
    for tensor in tensors:
        inside = gone[(gone >= start) & (gone < start + tensor.size)] - start
        ### EQUIVALENT 9c27dcdb by pruned: the array may be written into
        array = tensor.data.copy()
        array.ravel()[inside] = 0
        tensor.data = array
        start += tensor.size
    return model

# %% sensitivity_scan
def sensitivity_scan(model, evaluate, sparsities):
    scores = []
    for tensor in (tensor for tensor in model_parameters(model) if tensor.data.ndim >= 2):
        whole, row = tensor.data, []
        order = np.argsort(np.abs(whole).ravel(), kind="stable")
        for sparsity in sparsities:
            array = whole.copy()
            array.ravel()[order[: round(sparsity * order.size)]] = 0
            tensor.data = array
            row.append(evaluate(model))
        tensor.data = whole
        scores.append(row)
    return scores
