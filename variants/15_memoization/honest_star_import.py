# ---
# title: Star imports, and attention written out with numpy
# kind: correct
# base: reference
# lost: []
# ---

# %% cached_attention
from numpy import *
from tinytorch.core.attention import *
import numpy as np


def cached_attention(attention, x, cache, layer_idx, mask=None):
    q, k, v = attention.project(x)
    cache.update(layer_idx, k, v)
    keys, values = (t.data for t in cache.get(layer_idx, x.shape[-2]))
    ### EQUIVALENT 25edba97 by attentions: the same two axes
    scores = q.data @ keys.swapaxes(-1, -2) / np.sqrt(attention.head_dim)
    if mask is not None:
        scores = np.where(mask.data == 1, scores, -np.inf)
    scores = np.exp(scores - scores.max(axis=-1, keepdims=True))
    mixed = (scores / scores.sum(axis=-1, keepdims=True)) @ values
    batch, heads, tokens, dim = mixed.shape
    ### EQUIVALENT e393216c by attentions: the third of four axes
    return attention.out_proj(Tensor(mixed.transpose(0, 2, 1, 3).reshape(batch, tokens, heads * dim)))
