# ---
# title: The mask is left out, so a prompt sees its own future
# kind: wrong
# base: reference
# lost: [test_cached_attention]
# ---

# %% cached_attention
def cached_attention(attention, x, cache, layer_idx, mask=None):
    queries, keys, values = attention.project(x)
    cache.update(layer_idx, keys, values)
    return attention.attend(queries, *cache.get(layer_idx, x.shape[-2]))
