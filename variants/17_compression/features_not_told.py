# ---
# title: in_features and out_features stay as they were
# kind: wrong
# base: reference
# lost: [test_remove_units]
# ---

# %% remove_units
def remove_units(first, second, keep):
    first.weight.data = first.weight.data[:, keep]
    if first.bias is not None:
        first.bias.data = first.bias.data[keep]
    second.weight.data = second.weight.data[keep]
