# ---
# title: What it remembers is written into
# kind: wrong
# base: reference
# lost: [test_sensitivity_scan]
# ---

# %% sensitivity_scan
def sensitivity_scan(model, evaluate, sparsities):
    scores = []
    for weight in weights_of(model):
        whole, row = weight.data, []
        for sparsity in sparsities:
            (mask,) = magnitude_masks([whole], sparsity)
            weight.data *= mask
            row.append(evaluate(model))
            weight.data = whole
        scores.append(row)
    return scores
