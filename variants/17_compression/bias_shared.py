# ---
# title: The new layer shares the old bias
# kind: wrong
# base: reference
# lost: [test_factorized]
# ---

# %% factorized
def factorized(layer, rank_ratio=0.5):
    u, s, v = low_rank_approximate(layer.weight.data, rank_ratio)
    first = Linear(*u.shape, bias=False)
    second = Linear(*v.shape, bias=layer.bias is not None)
    first.weight.data, second.weight.data = u * np.sqrt(s), np.sqrt(s)[:, None] * v
    second.bias = layer.bias
    return Sequential(first, second)
