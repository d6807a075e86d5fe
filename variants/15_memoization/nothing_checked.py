# ---
# title: Anything is stored that numpy can stretch
# kind: wrong
# base: reference
# lost: [test_store_tokens]
# ---

# %% store_tokens
def store_tokens(cache, layer_idx, key, value):
    keys, values = cache.caches[layer_idx]
    end = cache.seq_pos + key.shape[2]
    keys.data[:, :, cache.seq_pos : end] = key.data
    values.data[:, :, cache.seq_pos : end] = value.data
