# ---
# title: Every layer takes the number of the last, for the loop's name is looked up too late
# kind: wrong
# base: reference
# lost: [test_enable_kv_cache]
# ---

# %% enable_kv_cache
def enable_kv_cache(model, batch_size=1):
    disable_kv_cache(model)
    cache = KVCache(batch_size, model.max_seq_len, model.num_layers, model.num_heads, model.embed_dim // model.num_heads)
    makers = [lambda attention: CachedAttention(attention, cache, layer) for layer in range(model.num_layers)]
    for layer, block in enumerate(model.blocks):
        pass
    for maker, block in zip(makers, model.blocks):
        block.attention = maker(block.attention)
    model.next_logits = lambda tokens: cached_forward(model, cache, tokens[:, cache.seq_pos :])[:, -1, :]
    model._kv_cache = cache
    return cache
