# ---
# title: Every block gets the attention of the last one
# kind: wrong
# base: reference
# lost: [test_enable_kv_cache]
# ---

# %% enable_kv_cache
def enable_kv_cache(model, batch_size=1):
    disable_kv_cache(model)
    cache = KVCache(batch_size, model.max_seq_len, model.num_layers, model.num_heads, model.embed_dim // model.num_heads)
    last = model.blocks[-1].attention
    for layer, block in enumerate(model.blocks):
        block.attention = CachedAttention(last, cache, layer)
    model.next_logits = lambda tokens: cached_forward(model, cache, tokens[:, cache.seq_pos :])[:, -1, :]
    model._kv_cache = cache
    return cache
