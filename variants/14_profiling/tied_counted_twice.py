# ---
# title: A tensor that two layers share is listed for each
# kind: wrong
# base: reference
# lost: [test_model_parameters]
# ---

# %% model_parameters
def model_parameters(model: Any) -> list[Tensor]:
    listed = list(model.parameters()) if hasattr(model, "parameters") else []
    layers = getattr(model, "layers", None)
    if not listed and isinstance(layers, list | tuple):
        listed = [tensor for layer in layers for tensor in model_parameters(layer)]
    if not listed:
        own = (getattr(model, name, None) for name in ("weight", "bias"))
        listed = [tensor for tensor in own if isinstance(tensor, Tensor)]
    return listed
