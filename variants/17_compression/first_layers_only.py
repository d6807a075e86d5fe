# ---
# title: Looks for weights in the layers at the top only
# kind: wrong
# base: reference
# lost: [test_weights_of]
# ---

# %% weights_of
def weights_of(model):
    return [layer.weight for layer in model.layers if hasattr(layer, "weight")]
