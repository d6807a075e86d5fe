# ---
# title: A layer stays pruned while the next one is tried
# kind: wrong
# base: reference
# lost: [test_sensitivity_scan]
# ---

# %% sensitivity_scan
def sensitivity_scan(model, evaluate, sparsities):
    weights = weights_of(model)
    wholes = [weight.data for weight in weights]
    scores = []
    for weight, whole in zip(weights, wholes):
        row = []
        for sparsity in sparsities:
            (mask,) = magnitude_masks([whole], sparsity)
            weight.data = whole * mask
            row.append(evaluate(model))
        scores.append(row)
    for weight, whole in zip(weights, wholes):
        weight.data = whole
    return scores
