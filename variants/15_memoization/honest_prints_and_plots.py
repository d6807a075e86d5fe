# ---
# title: Prints, unused names and comments all over
# kind: correct
# base: reference
# lost: []
# ---

# %% stored_tokens
DEBUG = True
calls = 0
def stored_tokens(cache, layer_idx, new_tokens=0):
    global calls
    calls += 1   # how often?
    if (layer_idx < 0) | (layer_idx > cache.num_layers - 1):
        raise ValueError('layer?')
    n = cache.seq_pos + new_tokens
    if DEBUG and calls < 3: print("reading", n, "tokens of layer", layer_idx)
    K = cache.caches[layer_idx][0].data[:, :, :n, :]; V = cache.caches[layer_idx][1].data[:, :, :n, :]
    return (Tensor(K), Tensor(V))
print("defined")
