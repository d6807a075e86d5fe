# ---
# title: The singular values are left out of the factors
# kind: wrong
# base: reference
# lost: [test_factorized]
# ---

# %% factorized
def factorized(layer, rank_ratio=0.5):
    u, s, v = low_rank_approximate(layer.weight.data, rank_ratio)
    first = Linear(*u.shape, bias=False)
    second = Linear(*v.shape, bias=layer.bias is not None)
    first.weight.data, second.weight.data = u.copy(), v.copy()
    if layer.bias is not None:
        second.bias.data = layer.bias.data.copy()
    return Sequential(first, second)
