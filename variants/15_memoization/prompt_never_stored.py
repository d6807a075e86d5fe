# ---
# title: Only single tokens are stored, a prompt of several is not
# kind: wrong
# base: reference
# lost: [test_store_tokens]
# ---

# %% store_tokens
def store_tokens(cache, layer_idx, key, value):
    if not 0 <= layer_idx < cache.num_layers:
        raise ValueError("no such layer")
    tokens = key.shape[2] if len(key.shape) == 4 else 0
    shape = (cache.batch_size, cache.num_heads, tokens, cache.head_dim)
    if key.shape != shape or value.shape != shape:
        raise ValueError("wrong shape")
    end = cache.seq_pos + tokens
    if end > cache.max_seq_len:
        raise ValueError("full")
    keys, values = cache.caches[layer_idx]
    if tokens == 1:
        keys.data[:, :, cache.seq_pos] = key.data[:, :, 0]
        values.data[:, :, cache.seq_pos] = value.data[:, :, 0]
