# ---
# title: The batch size is not handed on
# kind: wrong
# base: reference
# lost: [test_enable_kv_cache]
# ---

# %% enable_kv_cache
def enable_kv_cache(model, batch_size=1):
    disable_kv_cache(model)
    cache = KVCache(1, model.max_seq_len, model.num_layers, model.num_heads, model.embed_dim // model.num_heads)
    for layer, block in enumerate(model.blocks):
        block.attention = CachedAttention(block.attention, cache, layer)
    model.next_logits = lambda tokens: cached_forward(model, cache, tokens[:, cache.seq_pos :])[:, -1, :]
    model._kv_cache = cache
    return cache
