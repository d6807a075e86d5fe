# ---
# title: The next layer keeps the rows of units that are gone
# kind: wrong
# base: reference
# lost: [test_remove_units]
# ---

# %% remove_units
def remove_units(first, second, keep):
    first.weight.data = first.weight.data[:, keep]
    if first.bias is not None:
        first.bias.data = first.bias.data[keep]
    first.out_features = second.in_features = len(keep)
