# ---
# title: The cache as module 12's hook, for as long as the layer is asked
# kind: correct
# base: reference
# lost: []
# ---

# %% cached_attention
def cached_attention(attention, x, cache, layer_idx, mask=None):
    def remember(keys, values):
        cache.update(layer_idx, keys, values)
        return cache.get(layer_idx, keys.shape[2])

    before, attention.key_value_hook = attention.key_value_hook, remember
    try:
        return attention.forward(x, mask)
    finally:
        attention.key_value_hook = before
