# ---
# title: The new tokens are not among the keys in their own step
# kind: wrong
# base: reference
# lost: [test_cached_attention]
# ---

# %% cached_attention
def cached_attention(attention, x, cache, layer_idx, mask=None):
    queries, keys, values = attention.project(x)
    cache.update(layer_idx, keys, values)
    old_keys, old_values = cache.get(layer_idx)
    if old_keys.shape[2] == 0:
        return attention.attend(queries, keys, values, mask)
    seen = None if mask is None else mask[:, : old_keys.shape[2]]
    return attention.attend(queries, old_keys, old_values, seen)
