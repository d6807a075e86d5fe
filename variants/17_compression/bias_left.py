# ---
# title: The bias keeps the entries of units that are gone
# kind: wrong
# base: reference
# lost: [test_remove_units]
# ---

# %% remove_units
def remove_units(first, second, keep):
    first.weight.data = first.weight.data[:, keep]
    second.weight.data = second.weight.data[keep]
    first.out_features = second.in_features = len(keep)
