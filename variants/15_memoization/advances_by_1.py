# ---
# title: A chunk of many tokens counts as one
# kind: wrong
# base: reference
# lost: [test_cached_forward]
# ---

# %% cached_forward
def cached_forward(model, cache, tokens):
    count = tokens.shape[-1]
    if cache.seq_pos + count > cache.max_seq_len:
        raise ValueError("full")
    logits = model.forward(tokens, position_offset=cache.seq_pos)
    cache.advance()
    return logits
