# ---
# title: Assignment expressions, conditional expressions, unpacking
# kind: correct
# base: reference
# lost: []
# ---

# %% stored_bytes
def stored_bytes(model):
    total = 0
    for tensor in model_parameters(model):
        total += tensor.nbytes if len(tensor.shape) < 2 else min(
            tensor.nbytes, (tensor.size - 1) // 8 + 1 + np.count_nonzero(tensor.data) * (width := tensor.dtype.itemsize)
        )
    return int(total)

# %% sensitivity_scan
def sensitivity_scan(model, evaluate, sparsities):
    *weights, = weights_of(model)
    scores = []
    while len(scores) < len(weights):
        whole = (weight := weights[len(scores)]).data
        scores.append([])
        for sparsity in sparsities:
            (mask,) = magnitude_masks((whole,), sparsity)
            weight.data = np.where(mask, whole, np.zeros_like(whole))
            scores[-1] += [evaluate(model)]
        weight.data = whole
    return scores
