# ---
# title: Puts new Tensors in the place of the weights
# kind: wrong
# base: reference
# lost: [test_magnitude_prune]
# ---

# %% magnitude_prune
def magnitude_prune(model, sparsity=0.9):
    weights = weights_of(model)
    masks = magnitude_masks([weight.data for weight in weights], sparsity)
    for layer in flat_layers(model):
        for weight, mask in zip(weights, masks):
            if getattr(layer, "weight", None) is weight:
                layer.weight = Tensor(weight.data * mask, requires_grad=True)
    return model
