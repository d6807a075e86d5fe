# ---
# title: Numbers below 1e-8 count as zeros
# kind: wrong
# base: reference
# lost: [test_measure_sparsity]
# ---

# %% measure_sparsity
def measure_sparsity(model):
    weights = weights_of(model)
    if not weights:
        raise ValueError("no weights")
    zeros = sum(int(np.sum(np.abs(weight.data) < 1e-8)) for weight in weights)
    return zeros / sum(weight.size for weight in weights)
