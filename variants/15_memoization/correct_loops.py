# ---
# title: Loops over tokens and rows, plain Python
# kind: correct
# base: reference
# lost: []
# ---

# %% keys_per_step
def keys_per_step(prompt_tokens, new_tokens, cached):
    counts = []
    length = prompt_tokens
    seen = 0
    for call in range(new_tokens):
        if cached:
            counts.append(length - seen)
            seen = length
        else:
            counts.append(length)
        length += 1
    return counts

# %% store_tokens
def store_tokens(cache, layer_idx, key, value):
    if layer_idx < 0 or layer_idx >= cache.num_layers:
        raise ValueError("no such layer")
    ### EQUIVALENT 2e963e63 by stores: where one has other axes, the two differ in shape
    if len(key.shape) != 4 or len(value.shape) != 4:
        raise ValueError("needs four axes")
    if key.shape != value.shape:
        raise ValueError("key and value differ in shape")
    if key.shape[0] != cache.batch_size or key.shape[1] != cache.num_heads or key.shape[3] != cache.head_dim:
        raise ValueError("wrong shape")
    count = key.shape[2]
    if cache.seq_pos + count > cache.max_seq_len:
        raise ValueError("full")
    for i in range(count):
        for row in range(cache.batch_size):
            for head in range(cache.num_heads):
                cache.caches[layer_idx][0].data[row, head, cache.seq_pos + i] = key.data[row, head, i]
                cache.caches[layer_idx][1].data[row, head, cache.seq_pos + i] = value.data[row, head, i]

# %% stored_tokens
def stored_tokens(cache, layer_idx, new_tokens=0):
    if layer_idx < 0 or layer_idx >= cache.num_layers:
        raise ValueError("no such layer")
    end = cache.seq_pos + new_tokens
    ### EQUIVALENT 2a2aa40c by reads: a Tensor copies
    keys = cache.caches[layer_idx][0].data[:, :, 0:end, :].copy()
    ### EQUIVALENT 68f9ed98 by reads: a Tensor copies
    values = cache.caches[layer_idx][1].data[:, :, 0:end, :].copy()
    return Tensor(keys), Tensor(values)

# %% generation_scope
@contextmanager
def generation_scope(cache):
    cache.seq_pos = 0
    try:
        yield cache
    except BaseException:
        cache.seq_pos = 0
        raise
    cache.seq_pos = 0

# %% memory_usage
def memory_usage(cache):
    total_bytes = 0
    total_elements = 0
    tensors = 0
    for keys, values in cache.caches:
        for tensor in (keys, values):
            total_bytes += tensor.nbytes
            total_elements += tensor.size
            tensors += 1
    mb = total_bytes / 1024 / 1024
    return {"total_mb": mb, "per_layer_mb": mb / cache.num_layers, "cache_tensors": tensors, "total_elements": total_elements}

# %% chunk_mask
def chunk_mask(new_tokens, old_tokens):
    ### EQUIVALENT fb448519 by masks: a mask is of zeros and ones in any type
    ### EQUIVALENT a9041645 by masks: a mask is of zeros and ones in any type
    mask = np.zeros((new_tokens, old_tokens + new_tokens), dtype=np.float32)
    for row in range(new_tokens):
        for column in range(old_tokens + new_tokens):
            if column <= old_tokens + row:
                mask[row, column] = 1.0
    return Tensor(mask)

# %% cached_attention
def cached_attention(attention, x, cache, layer_idx, mask=None):
    queries, keys, values = attention.project(x)
    old_keys, old_values = cache.get(layer_idx)
    cache.update(layer_idx, keys, values)
    all_keys = Tensor(np.concatenate([old_keys.data, keys.data], axis=2))
    all_values = Tensor(np.concatenate([old_values.data, values.data], axis=2))
    return attention.attend(queries, all_keys, all_values, mask=mask)

# %% cached_forward
def cached_forward(model, cache, tokens):
    ### EQUIVALENT 09bdbc93 by feeds: tokens have two axes
    count = tokens.shape[-1]
    if count > cache.max_seq_len - cache.seq_pos:
        raise ValueError("the cache is full")
    logits = model.forward(tokens, position_offset=cache.seq_pos)
    for _ in range(count):
        cache.advance()
    return logits

# %% disable_kv_cache
def disable_kv_cache(model):
    for block in model.blocks:
        if isinstance(block.attention, CachedAttention):
            block.attention = block.attention.attention
    if "next_logits" in vars(model):
        del model.next_logits
    model._kv_cache = None

# %% enable_kv_cache
def enable_kv_cache(model, batch_size=1):
    disable_kv_cache(model)
    cache = KVCache(
        batch_size=batch_size, max_seq_len=model.max_seq_len, num_layers=model.num_layers,
        num_heads=model.num_heads, head_dim=model.embed_dim // model.num_heads,
    )
    for i in range(model.num_layers):
        model.blocks[i].attention = CachedAttention(model.blocks[i].attention, cache, i)

    def next_logits(tokens):
        new = Tensor(tokens.data[:, cache.seq_pos:])
        logits = cached_forward(model, cache, new)
        return Tensor(logits.data[:, -1])

    model.next_logits = next_logits
    model._kv_cache = cache
    return cache
