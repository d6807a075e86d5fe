# ---
# title: Convolutions of other classes stay
# kind: wrong
# base: reference
# lost: [test_accelerate_model]
# ---

# %% accelerate_model
def accelerate_model(model):
    count = 0
    for place, layer in enumerate(model.layers):
        if type(layer) is Conv2d or type(layer) is GELU:
            model.layers[place] = AcceleratedConv2d(layer) if type(layer) is Conv2d else FusedGELU()
            count += 1
        elif hasattr(layer, "layers"):
            count += accelerate_model(layer)
    return count
