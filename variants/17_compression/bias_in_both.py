# ---
# title: The bias is added before the second product
# kind: wrong
# base: reference
# lost: [test_factorized]
# ---

# %% factorized
def factorized(layer, rank_ratio=0.5):
    u, s, v = low_rank_approximate(layer.weight.data, rank_ratio)
    first = Linear(*u.shape, bias=True)
    second = Linear(*v.shape, bias=layer.bias is not None)
    first.weight.data, second.weight.data = u * np.sqrt(s), np.sqrt(s)[:, None] * v
    if layer.bias is not None:
        first.bias.data = layer.bias.data[: len(s)].copy()
        second.bias.data = layer.bias.data.copy()
    return Sequential(first, second)
