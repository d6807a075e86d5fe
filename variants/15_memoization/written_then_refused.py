# ---
# title: The keys are written before the value is looked at
# kind: claim
# base: reference
# lost: [test_store_tokens]
# ---

# %% store_tokens
def store_tokens(cache, layer_idx, key, value):
    if not 0 <= layer_idx < cache.num_layers:
        raise ValueError("no such layer")
    for buffer, new in zip(cache.caches[layer_idx], (key, value)):
        shape = (cache.batch_size, cache.num_heads, key.shape[2], cache.head_dim)
        if new.shape != shape or cache.seq_pos + key.shape[2] > cache.max_seq_len:
            raise ValueError("wrong shape, or full")
        buffer.data[:, :, cache.seq_pos : cache.seq_pos + key.shape[2]] = new.data
