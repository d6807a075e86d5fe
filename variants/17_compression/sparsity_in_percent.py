# ---
# title: Sparsity in percent
# kind: wrong
# base: reference
# lost: [test_measure_sparsity]
# ---

# %% measure_sparsity
def measure_sparsity(model):
    weights = weights_of(model)
    if not weights:
        raise ValueError("no weights")
    zeros = sum(int(np.sum(weight.data == 0)) for weight in weights)
    return 100 * zeros / sum(weight.size for weight in weights)
