# ---
# title: Only arrays with exactly two axes are weights
# kind: wrong
# base: reference
# lost: [test_weights_of]
# ---

# %% weights_of
def weights_of(model):
    return [tensor for tensor in model_parameters(model) if len(tensor.shape) == 2]
