# ---
# title: Prints, unused names and comments all over
# kind: correct
# base: reference
# lost: []
# ---

# %% stored_tokens
### EQUIVALENT 85d307af by reads: what is printed, and how often, is not looked at
DEBUG = True
### EQUIVALENT c820ed67 by reads: what is printed, and how often, is not looked at
### EQUIVALENT e3f192e5 by reads: what is printed, and how often, is not looked at
calls = 0
def stored_tokens(cache, layer_idx, new_tokens=0):
    global calls
    ### EQUIVALENT 9c7b198d by reads: what is printed, and how often, is not looked at
    ### EQUIVALENT ee32464d by reads: what is printed, and how often, is not looked at
    ### EQUIVALENT eeb7be72 by reads: what is printed, and how often, is not looked at
    ### EQUIVALENT d9c7db89 by reads: what is printed, and how often, is not looked at
    calls += 1   # how often?
    if (layer_idx < 0) | (layer_idx > cache.num_layers - 1):
        raise ValueError('layer?')
    n = cache.seq_pos + new_tokens
    ### EQUIVALENT 25c9e565 by reads: what is printed, and how often, is not looked at
    ### EQUIVALENT 9a146061 by reads: what is printed, and how often, is not looked at
    ### EQUIVALENT 6c170e50 by reads: what is printed, and how often, is not looked at
    ### EQUIVALENT 0075fed7 by reads: what is printed, and how often, is not looked at
    ### EQUIVALENT 5e7de199 by reads: what is printed, and how often, is not looked at
    ### EQUIVALENT 8ba18f93 by reads: what is printed, and how often, is not looked at
    ### EQUIVALENT 35114ee9 by reads: what is printed, and how often, is not looked at
    ### EQUIVALENT 4a05221c by reads: what is printed, and how often, is not looked at
    if DEBUG and calls < 3: print("reading", n, "tokens of layer", layer_idx)
    K = cache.caches[layer_idx][0].data[:, :, :n, :]; V = cache.caches[layer_idx][1].data[:, :, :n, :]
    return (Tensor(K), Tensor(V))
print("defined")
