# ---
# title: The mean of the layers' sparsities
# kind: wrong
# base: reference
# lost: [test_measure_sparsity]
# ---

# %% measure_sparsity
def measure_sparsity(model):
    weights = weights_of(model)
    if not weights:
        raise ValueError("no weights")
    return float(np.mean([np.mean(weight.data == 0) for weight in weights]))
