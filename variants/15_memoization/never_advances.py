# ---
# title: The new tokens are never finished
# kind: wrong
# base: reference
# lost: [test_cached_forward]
# ---

# %% cached_forward
def cached_forward(model, cache, tokens):
    count = tokens.shape[-1]
    if cache.seq_pos + count > cache.max_seq_len:
        raise ValueError("full")
    return model.forward(tokens, position_offset=cache.seq_pos)
