# ---
# title: What was stored since the last advance is left out
# kind: wrong
# base: reference
# lost: [test_stored_tokens]
# ---

# %% stored_tokens
def stored_tokens(cache, layer_idx, new_tokens=0):
    if not 0 <= layer_idx < cache.num_layers:
        raise ValueError("no such layer")
    keys, values = cache.caches[layer_idx]
    return keys[:, :, : cache.seq_pos], values[:, :, : cache.seq_pos]
