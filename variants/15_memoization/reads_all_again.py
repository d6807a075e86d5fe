# ---
# title: The whole text is read again with each token
# kind: wrong
# base: reference
# lost: [test_enable_kv_cache]
# ---

# %% enable_kv_cache
def enable_kv_cache(model, batch_size=1):
    disable_kv_cache(model)
    cache = KVCache(batch_size, model.max_seq_len, model.num_layers, model.num_heads, model.embed_dim // model.num_heads)
    for layer, block in enumerate(model.blocks):
        block.attention = CachedAttention(block.attention, cache, layer)
    def next_logits(tokens):
        cache.reset()
        return cached_forward(model, cache, tokens)[:, -1, :]

    model.next_logits = next_logits
    model._kv_cache = cache
    return cache
