# ---
# title: A full cache begins again at the front
# kind: wrong
# base: reference
# lost: [test_store_tokens]
# ---

# %% store_tokens
def store_tokens(cache, layer_idx, key, value):
    if not 0 <= layer_idx < cache.num_layers:
        raise ValueError("no such layer")
    if len(key.shape) != 4 or key.shape != value.shape or key.shape[0] != cache.batch_size:
        raise ValueError("wrong shape")
    if key.shape[1] != cache.num_heads or key.shape[3] != cache.head_dim:
        raise ValueError("wrong shape")
    for i in range(key.shape[2]):
        at = (cache.seq_pos + i) % cache.max_seq_len
        for buffer, new in zip(cache.caches[layer_idx], (key, value)):
            buffer.data[:, :, at] = new.data[:, :, i]
