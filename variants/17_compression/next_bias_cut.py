# ---
# title: The bias of the next layer is cut, too
# kind: wrong
# base: reference
# lost: [test_remove_units]
# ---

# %% remove_units
def remove_units(first, second, keep):
    first.weight.data = first.weight.data[:, keep]
    for layer in (first, second):
        if layer.bias is not None:
            layer.bias.data = layer.bias.data[: len(keep)] if layer is second else layer.bias.data[keep]
    second.weight.data = second.weight.data[keep][:, : len(keep)]
    first.out_features = second.in_features = len(keep)
