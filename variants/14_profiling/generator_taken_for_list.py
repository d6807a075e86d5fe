# ---
# title: A generator of no parameters is taken for an answer
# kind: wrong
# base: reference
# lost: [test_model_parameters]
# ---

# %% model_parameters
def model_parameters(model):
    if hasattr(model, "parameters") and model.parameters():
        candidates = model.parameters()
    elif getattr(model, "layers", ()):
        candidates = [tensor for layer in model.layers for tensor in model_parameters(layer)]
    else:
        candidates = [getattr(model, name, None) for name in ("weight", "bias")]
    unique = []
    for tensor in candidates:
        if isinstance(tensor, Tensor) and all(tensor is not other for other in unique):
            unique.append(tensor)
    return unique
