# ---
# title: What is nested stays
# kind: wrong
# base: reference
# lost: [test_accelerate_model]
# ---

# %% accelerate_model
def accelerate_model(model):
    count = 0
    for place, layer in enumerate(model.layers):
        if isinstance(layer, (Conv2d, GELU)):
            model.layers[place] = AcceleratedConv2d(layer) if isinstance(layer, Conv2d) else FusedGELU()
            count += 1
    return count
