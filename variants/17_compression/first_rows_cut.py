# ---
# title: The next layer loses its last rows, whichever units are gone
# kind: wrong
# base: reference
# lost: [test_remove_units]
# ---

# %% remove_units
def remove_units(first, second, keep):
    first.weight.data = first.weight.data[:, keep]
    if first.bias is not None:
        first.bias.data = first.bias.data[keep]
    second.weight.data = second.weight.data[: len(keep)]
    first.out_features = second.in_features = len(keep)
