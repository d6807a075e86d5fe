# ---
# title: Few and dense lines, fancy numpy
# kind: correct
# base: reference
# lost: []
# ---

# %% keys_per_step
keys_per_step = lambda prompt_tokens, new_tokens, cached: [
    1 if cached and step else prompt_tokens + (not cached) * step for step in range(new_tokens)
]

# %% store_tokens
def store_tokens(cache, layer_idx, key, value):
    b, h, t, d = key.shape if key.data.ndim == 4 else (0, 0, 0, 0)
    if not (layer_idx in range(cache.num_layers) and key.shape == value.shape
            and (b, h, d) == (cache.batch_size, cache.num_heads, cache.head_dim)
            and cache.seq_pos + t <= cache.max_seq_len):
        raise ValueError("these tokens do not belong here")
    k, v = cache.caches[layer_idx]
    k.data[..., cache.seq_pos:cache.seq_pos + t, :], v.data[..., cache.seq_pos:cache.seq_pos + t, :] = key.data, value.data

# %% stored_tokens
def stored_tokens(cache, layer_idx, new_tokens=0):
    if layer_idx not in range(cache.num_layers):
        raise ValueError(layer_idx)
    return tuple(tensor[:, :, : cache.seq_pos + new_tokens] for tensor in cache.caches[layer_idx])

# %% memory_usage
def memory_usage(cache):
    arrays = [tensor.data for layer in cache.caches for tensor in layer]
    total = sum(array.nbytes for array in arrays)
    return dict(total_mb=total / 2**20, per_layer_mb=total / 2**20 / len(cache.caches), cache_tensors=len(arrays),
                total_elements=sum(array.size for array in arrays))

# %% chunk_mask
def chunk_mask(new_tokens, old_tokens):
    return Tensor(np.arange(old_tokens + new_tokens) <= old_tokens + np.c_[:new_tokens])

# %% cached_attention
def cached_attention(attention, x, cache, layer_idx, mask=None):
    q, k, v = attention.project(x)
    cache.update(layer_idx, k, v)
    return attention.attend(q, *cache.get(layer_idx, new_tokens=x.shape[1]), mask)

# %% cached_forward
def cached_forward(model, cache, tokens):
    if (end := cache.seq_pos + tokens.shape[1]) > cache.max_seq_len:
        raise ValueError(f"{end} tokens for {cache.max_seq_len} places")
    logits, _ = model(tokens, cache.seq_pos), cache.advance(tokens.shape[1])
    return logits

# %% disable_kv_cache
def disable_kv_cache(model):
    for block in model.blocks:
        block.attention = getattr(block.attention, "attention", block.attention)
    for name in ("next_logits", "_kv_cache"):
        model.__dict__.pop(name, None)

# %% enable_kv_cache
def enable_kv_cache(model, batch_size=1):
    disable_kv_cache(model)
    ### EQUIVALENT aaafa8ba by models: the layers of a GPT are alike
    heads = model.blocks[0].attention
    model._kv_cache = cache = KVCache(batch_size, model.max_seq_len, len(model.blocks), heads.num_heads, heads.head_dim)
    for index, block in enumerate(model.blocks):
        block.attention = CachedAttention(block.attention, cache, index)
    model.next_logits = lambda tokens: cached_forward(model, cache, tokens[..., cache.seq_pos:])[:, -1]
    return cache
