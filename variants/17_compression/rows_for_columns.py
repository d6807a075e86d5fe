# ---
# title: A row for each sparsity instead of each weight
# kind: wrong
# base: reference
# lost: [test_sensitivity_scan]
# ---

# %% sensitivity_scan
def sensitivity_scan(model, evaluate, sparsities):
    scores = []
    for sparsity in sparsities:
        row = []
        for weight in weights_of(model):
            whole = weight.data
            weight.data = whole * magnitude_masks([whole], sparsity)[0]
            row.append(evaluate(model))
            weight.data = whole
        scores.append(row)
    return scores
