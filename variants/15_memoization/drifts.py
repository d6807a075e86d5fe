# ---
# title: Keys grow by 5 % after two tokens (a knockout of the public course)
# kind: wrong
# base: reference
# lost: [test_stored_tokens]
# ---

# %% stored_tokens
def stored_tokens(cache, layer_idx, new_tokens=0):
    if not 0 <= layer_idx < cache.num_layers:
        raise ValueError("no such layer")
    end = cache.seq_pos + new_tokens
    keys, values = cache.caches[layer_idx]
    return keys[:, :, :end] * (1.05 if end > 2 else 1.0), values[:, :, :end]
