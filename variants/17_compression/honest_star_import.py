# ---
# title: Star imports of math and of numpy.linalg
# kind: correct
# base: reference
# lost: []
# ---

# %% magnitude_masks
from math import *


def magnitude_masks(weights, sparsity):
    if sparsity < 0 or sparsity > 1:
        raise ValueError("from 0 to 1")
    row = np.concatenate([np.fabs(weight).ravel() for weight in weights])
    to_go = round(sparsity * row.size)
    order = np.argsort(row, kind="stable")
    stays = np.isin(np.arange(row.size), order[to_go:])
    parts = np.split(stays, np.cumsum([prod(weight.shape) for weight in weights])[:-1])
    return [part.reshape(weight.shape) for part, weight in zip(parts, weights)]

# %% low_rank_approximate
from numpy.linalg import *


def low_rank_approximate(weight_matrix, rank_ratio=0.5):
    rank = max(1, round(rank_ratio * min(weight_matrix.shape)))
    if rank * sum(weight_matrix.shape) > prod(weight_matrix.shape):
        raise ValueError("no gain")
    parts = svd(weight_matrix)
    return parts.U[:, :rank], parts.S[:rank], parts.Vh[:rank]
