# ---
# title: A model without weights has sparsity 0
# kind: wrong
# base: reference
# lost: [test_measure_sparsity]
# ---

# %% measure_sparsity
def measure_sparsity(model):
    weights = weights_of(model)
    zeros = sum(int(np.sum(weight.data == 0)) for weight in weights)
    return zeros / max(sum(weight.size for weight in weights), 1)
