# ---
# title: Uses names that tests use too, and imports again what is there
# kind: correct
# base: reference
# lost: []
# ---

# %% measure_sparsity
import numpy as np
from tinytorch.core.tensor import Tensor

model = mask = first = last = None


def measure_sparsity(model):
    arrays = [tensor.data for tensor in weights_of(model)]
    if not arrays:
        raise ValueError("no weights")
    return float(sum(np.sum(array == 0) for array in arrays) / sum(array.size for array in arrays))

# %% units_to_keep
weight = ratios = matrices = None


def units_to_keep(weight, prune_ratio):
    if not 0 <= prune_ratio <= 1:
        raise ValueError(prune_ratio)
    norms = np.linalg.norm(weight, axis=0)
    to_go = min(round(prune_ratio * norms.size), norms.size - 1)
    order = np.argsort(norms, kind="stable")
    keep = np.delete(np.arange(norms.size), order[:to_go])
    return keep
