# ---
# title: Convolutions only
# kind: wrong
# base: reference
# lost: [test_accelerate_model]
# ---

# %% accelerate_model
def accelerate_model(model):
    count = 0
    for place, layer in enumerate(model.layers):
        if isinstance(layer, Conv2d):
            model.layers[place] = AcceleratedConv2d(layer)
            count += 1
        elif hasattr(layer, "layers"):
            count += accelerate_model(layer)
    return count
