# ---
# title: A layer without a bias crashes
# kind: wrong
# base: reference
# lost: [test_remove_units]
# ---

# %% remove_units
def remove_units(first, second, keep):
    first.weight.data = first.weight.data[:, keep]
    first.bias.data = first.bias.data[keep]
    second.weight.data = second.weight.data[keep]
    first.out_features = second.in_features = len(keep)
