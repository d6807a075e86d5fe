# ---
# title: Checks its own work, and says what it does
# kind: correct
# base: reference
# lost: []
# ---

# %% magnitude_prune
def magnitude_prune(model, sparsity=0.9):
    weights = weights_of(model)
    ### EQUIVALENT 15524cd5 by pruned: it is only told
    before = sum(int(np.count_nonzero(weight.data)) for weight in weights)
    masks = magnitude_masks([weight.data for weight in weights], sparsity)
    assert len(masks) == len(weights)
    for number, (weight, mask) in enumerate(zip(weights, masks)):
        assert weight.data.shape == mask.shape, "a mask has the shape of its weight"
        weight.data = weight.data * mask
        print(f"weight {number}: {int((~mask).sum())} of {mask.size} are zero now")
    ### EQUIVALENT 0a19452e by pruned: it is only told
    after = sum(int(np.count_nonzero(weight.data)) for weight in weights)
    print(f"{before} numbers before, {after} after")
    return model

# %% remove_units
def remove_units(first, second, keep):
    assert first.weight.shape[1] == second.weight.shape[0], "the layers must fit"
    print(f"{first.weight.shape[1]} units, {len(keep)} stay")
    ### EQUIVALENT beeba774 by removals: chosen by numbers they are copies already
    first.weight.data = first.weight.data[:, keep].copy()
    ### EQUIVALENT 5658a42c by removals: chosen by numbers they are copies already
    second.weight.data = second.weight.data[keep, :].copy()
    if first.bias is not None:
        ### EQUIVALENT bb5e52ea by removals: chosen by numbers they are copies already
        first.bias.data = first.bias.data[keep].copy()
    first.out_features = first.weight.shape[1]
    second.in_features = second.weight.shape[0]
    assert first.out_features == second.in_features
