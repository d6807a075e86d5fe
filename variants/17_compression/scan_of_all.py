# ---
# title: Prunes the whole model for each sparsity
# kind: wrong
# base: reference
# lost: [test_sensitivity_scan]
# ---

# %% sensitivity_scan
def sensitivity_scan(model, evaluate, sparsities):
    weights = weights_of(model)
    wholes = [weight.data for weight in weights]
    scores = []
    for _ in weights:
        row = []
        for sparsity in sparsities:
            for weight, whole in zip(weights, wholes):
                weight.data = whole * magnitude_masks([whole], sparsity)[0]
            row.append(evaluate(model))
            for weight, whole in zip(weights, wholes):
                weight.data = whole
        scores.append(row)
    return scores
