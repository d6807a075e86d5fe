# ---
# title: Arrays written into, where that is allowed
# kind: correct
# base: reference
# lost: []
# ---

# %% magnitude_prune
def magnitude_prune(model, sparsity=0.9):
    weights = weights_of(model)
    for weight, mask in zip(weights, magnitude_masks([weight.data for weight in weights], sparsity)):
        np.copyto(weight.data, 0, where=~mask)
    return model

# %% masked_step
def masked_step(optimizer, weights, masks):
    optimizer.step()
    for weight, mask in zip(weights, masks):
        weight.data[np.logical_not(mask)] = 0.0

# %% sensitivity_scan
def sensitivity_scan(model, evaluate, sparsities):
    weights = weights_of(model)
    copies = [weight.data.copy() for weight in weights]
    scores = [[None] * len(sparsities) for _ in weights]
    for row, weight in enumerate(weights):
        for column, sparsity in enumerate(sparsities):
            (mask,) = magnitude_masks([copies[row]], sparsity)
            weight.data[~mask] = 0
            scores[row][column] = evaluate(model)
            weight.data[...] = copies[row]
    return scores
