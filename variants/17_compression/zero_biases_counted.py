# ---
# title: Zeros of the biases are counted
# kind: wrong
# base: reference
# lost: [test_measure_sparsity]
# ---

# %% measure_sparsity
def measure_sparsity(model):
    weights = model_parameters(model)
    if not weights:
        raise ValueError("no weights")
    zeros = sum(int(np.sum(weight.data == 0)) for weight in weights)
    return zeros / sum(weight.size for weight in weights)
