# ---
# title: The cache's own room is not looked at before the layers store
# kind: wrong
# base: reference
# lost: [test_cached_forward]
# ---

# %% cached_forward
def cached_forward(model, cache, tokens):
    logits = model.forward(tokens, position_offset=cache.seq_pos)
    if cache.seq_pos + tokens.shape[-1] > cache.max_seq_len:
        raise ValueError("full")
    cache.advance(tokens.shape[-1])
    return logits
