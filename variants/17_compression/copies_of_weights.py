# ---
# title: Gives copies of the weights
# kind: wrong
# base: reference
# lost: [test_weights_of]
# ---

# %% weights_of
def weights_of(model):
    return [Tensor(tensor.data) for tensor in model_parameters(model) if len(tensor.shape) >= 2]
