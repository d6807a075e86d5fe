# ---
# title: Quick layers with copies of the weights
# kind: wrong
# base: reference
# lost: [test_accelerate_model]
# ---

# %% accelerate_model
def accelerate_model(model):
    count = 0
    for place, layer in enumerate(model.layers):
        if isinstance(layer, Conv2d):
            twin = object.__new__(Conv2d)
            twin.__dict__.update(layer.__dict__)
            twin.weight = Tensor(layer.weight.data.copy())
            model.layers[place] = AcceleratedConv2d(twin)
            count += 1
        elif isinstance(layer, GELU):
            model.layers[place] = FusedGELU()
            count += 1
        elif hasattr(layer, "layers"):
            count += accelerate_model(layer)
    return count
