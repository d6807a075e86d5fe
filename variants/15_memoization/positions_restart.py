# ---
# title: Every call begins at position 0
# kind: wrong
# base: reference
# lost: [test_cached_forward]
# ---

# %% cached_forward
def cached_forward(model, cache, tokens):
    count = tokens.shape[-1]
    if cache.seq_pos + count > cache.max_seq_len:
        raise ValueError("full")
    logits = model.forward(tokens)
    cache.advance(count)
    return logits
