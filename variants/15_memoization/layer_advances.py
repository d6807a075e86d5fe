# ---
# title: Each layer moves the position
# kind: wrong
# base: reference
# lost: [test_cached_attention]
# ---

# %% cached_attention
def cached_attention(attention, x, cache, layer_idx, mask=None):
    queries, keys, values = attention.project(x)
    cache.update(layer_idx, keys, values)
    all_keys, all_values = cache.get(layer_idx, x.shape[-2])
    cache.advance(x.shape[-2])
    return attention.attend(queries, all_keys, all_values, mask)
