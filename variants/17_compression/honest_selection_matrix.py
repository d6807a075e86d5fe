# ---
# title: Units are chosen by a product with a selection matrix
# kind: correct
# base: reference
# lost: []
# ---

# %% remove_units
def remove_units(first, second, keep):
    selection = np.eye(first.weight.shape[1])[:, keep]
    first.weight.data = first.weight.data @ selection
    second.weight.data = selection.T @ second.weight.data
    if first.bias is not None:
        first.bias.data = first.bias.data @ selection
    first.out_features = second.in_features = selection.shape[1]

# %% masked_step
def masked_step(optimizer, weights, masks):
    optimizer.step()
    for weight, mask in zip(weights, masks):
        weight.data = weight.data - weight.data * ~mask
