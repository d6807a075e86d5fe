# ---
# title: The zeros behind the last token are returned too
# kind: wrong
# base: reference
# lost: [test_stored_tokens]
# ---

# %% stored_tokens
def stored_tokens(cache, layer_idx, new_tokens=0):
    if not 0 <= layer_idx < cache.num_layers:
        raise ValueError("no such layer")
    return cache.caches[layer_idx]
