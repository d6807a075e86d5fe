# ---
# title: A match statement, walrus and chained comparisons
# kind: correct
# base: reference
# lost: []
# ---

# %% store_tokens
def store_tokens(cache, layer_idx, key, value):
    match key.shape, value.shape:
        case (batch, heads, tokens, dim), again if again == key.shape:
            fits = (batch, heads, dim) == (cache.batch_size, cache.num_heads, cache.head_dim)
        case _:
            ### EQUIVALENT 04d17020 by stores: it is refused anyway
            ### EQUIVALENT f1d9e3aa by stores: it is refused anyway
            fits, tokens = False, 0
    if not (fits and 0 <= layer_idx < cache.num_layers and (end := cache.seq_pos + tokens) <= cache.max_seq_len):
        raise ValueError(f"layer {layer_idx}, key {key.shape}, value {value.shape} after {cache.seq_pos}")
    np.copyto(cache.caches[layer_idx][0].data[:, :, cache.seq_pos : end], key.data)
    np.copyto(cache.caches[layer_idx][1].data[:, :, cache.seq_pos : end], value.data)
