# ---
# title: Layer -1 is taken for the last
# kind: wrong
# base: reference
# lost: [test_stored_tokens]
# ---

# %% stored_tokens
def stored_tokens(cache, layer_idx, new_tokens=0):
    if layer_idx >= cache.num_layers:
        raise ValueError("no such layer")
    end = cache.seq_pos + new_tokens
    keys, values = cache.caches[layer_idx]
    return keys[:, :, :end], values[:, :, :end]
