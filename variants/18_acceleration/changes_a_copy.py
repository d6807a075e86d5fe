# ---
# title: Replaces layers in a copy of the list
# kind: wrong
# base: reference
# lost: [test_accelerate_model]
# ---

# %% accelerate_model
def accelerate_model(model):
    count, layers = 0, list(model.layers)
    for place, layer in enumerate(layers):
        if isinstance(layer, (Conv2d, GELU)):
            layers[place] = AcceleratedConv2d(layer) if isinstance(layer, Conv2d) else FusedGELU()
            count += 1
        elif hasattr(layer, "layers"):
            count += accelerate_model(layer)
    return count
