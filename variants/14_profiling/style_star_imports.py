# ---
# title: Star imports, short names, single letters
# kind: correct
# base: reference
# lost: []
# ---

# %% model_parameters
from math import *


def model_parameters(m):
    p = list(m.parameters()) if hasattr(m, "parameters") else []
    if p == []:
        for l in getattr(m, "layers", []):
            p += model_parameters(l)
    if p == []:
        ### EQUIVALENT 741c4fe3 by parameters: no number is a Tensor
        ### EQUIVALENT 5ea34eb3 by parameters: no number is a Tensor
        p = [t for t in [getattr(m, "weight", 0), getattr(m, "bias", 0)] if isinstance(t, Tensor)]
    q = []
    for t in p:
        if id(t) not in map(id, q):
            q.append(t)
    return q

# %% conv2d_flops
def conv2d_flops(o, c, w):
    return 2 * prod(o) * c * prod(w)

# %% window_places
def window_places(s, w, d, p):
    h = [floor((s[i] + 2 * p[i] - w[i]) / d[i]) + 1 for i in (0, 1)]
    if h[0] < 1 or h[1] < 1:
        raise ValueError("too large")
    return h
