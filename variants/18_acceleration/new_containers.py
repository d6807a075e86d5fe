# ---
# title: Builds new containers inside
# kind: wrong
# base: reference
# lost: [test_accelerate_model]
# ---

# %% accelerate_model
def accelerate_model(model):
    count, layers = 0, []
    for layer in model.layers:
        if isinstance(layer, (Conv2d, GELU)):
            layers.append(AcceleratedConv2d(layer) if isinstance(layer, Conv2d) else FusedGELU())
            count += 1
        elif hasattr(layer, "layers"):
            inside = type(layer)(*layer.layers)
            count += accelerate_model(inside)
            layers.append(inside)
        else:
            layers.append(layer)
    model.layers[:] = layers
    return count
