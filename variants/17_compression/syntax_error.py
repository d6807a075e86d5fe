# ---
# title: A parenthesis is missing in one cell
# kind: broken
# base: reference
# lost: [test_remove_units]
# ---

# %% remove_units
def remove_units(first, second, keep):
    first.weight.data = (first.weight.data[:, keep]
    second.weight.data = second.weight.data[keep]
