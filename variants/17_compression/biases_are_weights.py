# ---
# title: Biases count as weights
# kind: wrong
# base: reference
# lost: [test_weights_of]
# ---

# %% weights_of
def weights_of(model):
    return model_parameters(model)
