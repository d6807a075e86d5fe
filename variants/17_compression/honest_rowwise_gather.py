# ---
# title: Places of np.unravel_index, masks by fancy indices
# kind: correct
# base: reference
# lost: []
# ---

# %% magnitude_masks
def magnitude_masks(weights, sparsity):
    if not (sparsity >= 0 and sparsity <= 1):
        raise ValueError("sparsity")
    masks = [np.full_like(weight, True, dtype=bool) for weight in weights]
    owner = np.repeat(np.arange(len(weights)), [weight.size for weight in weights])
    inside = np.concatenate([np.arange(weight.size) for weight in weights])
    size = np.concatenate([abs(weight).flatten() for weight in weights])
    gone = np.lexsort((inside, owner, size))[: round(sparsity * size.size)]
    for which, mask in enumerate(masks):
        mask[np.unravel_index(inside[gone][owner[gone] == which], mask.shape)] = False
    return masks

# %% remove_units
def remove_units(first, second, keep):
    chosen = np.isin(range(first.weight.shape[1]), keep)
    first.weight.data = np.compress(chosen, first.weight.data, axis=1)
    second.weight.data = np.compress(chosen, second.weight.data, axis=0)
    if first.bias is not None:
        first.bias.data = np.compress(chosen, first.bias.data)
    first.out_features = second.in_features = int(chosen.sum())
