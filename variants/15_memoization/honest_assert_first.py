# ---
# title: Asserts whose failure becomes a ValueError
# kind: correct
# base: reference
# lost: []
# ---

# %% store_tokens
def store_tokens(cache, layer_idx, key, value):
    try:
        assert layer_idx in range(cache.num_layers)
        assert len(key.shape) == len(value.shape) == 4
        assert key.shape == value.shape == (cache.batch_size, cache.num_heads, key.shape[2], cache.head_dim)
        assert cache.seq_pos + key.shape[2] <= cache.max_seq_len
    except AssertionError as error:
        raise ValueError("refused") from error
    for kind, tensor in enumerate((key, value)):
        buffer = cache.caches[layer_idx][kind].data
        for offset in range(tensor.shape[2]):
            buffer[:, :, cache.seq_pos + offset, :] = tensor.data[:, :, offset, :]
