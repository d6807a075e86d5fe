# ---
# title: Sets columns to zero, so nothing gets smaller
# kind: wrong
# base: reference
# lost: [test_remove_units]
# ---

# %% remove_units
def remove_units(first, second, keep):
    alive = np.isin(np.arange(first.weight.shape[1]), keep)
    first.weight.data = first.weight.data * alive
    if first.bias is not None:
        first.bias.data = first.bias.data * alive
