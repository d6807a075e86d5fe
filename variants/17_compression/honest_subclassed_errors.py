# ---
# title: Errors of its own that are ValueErrors
# kind: correct
# base: reference
# lost: []
# ---

# %% measure_sparsity
class NoWeights(ValueError):
    """A model has nothing to prune."""


def measure_sparsity(model):
    weights = weights_of(model)
    if not weights:
        raise NoWeights("no weights")
    counts = [np.count_nonzero(weight.data) for weight in weights]
    return 1.0 - sum(counts) / sum(weight.size for weight in weights)

# %% units_to_keep
class NoShare(ValueError):
    pass


def units_to_keep(weight, prune_ratio):
    if prune_ratio > 1 or prune_ratio < 0:
        raise NoShare(prune_ratio)
    norms = np.linalg.norm(weight, axis=0)
    count = max(1, len(norms) - round(prune_ratio * len(norms)))
    backwards = np.lexsort((-np.arange(len(norms)), -norms))
    return np.sort(backwards[:count])
