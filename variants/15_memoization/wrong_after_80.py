# ---
# title: Right for 80 tokens, then off by one place
# kind: wrong
# base: reference
# lost: [test_cached_forward]
# ---

# %% cached_forward
def cached_forward(model, cache, tokens):
    count = tokens.shape[-1]
    if cache.seq_pos + count > cache.max_seq_len:
        raise ValueError("full")
    shift = 1 if cache.seq_pos > 80 else 0
    logits = model.forward(tokens, position_offset=cache.seq_pos - shift)
    cache.advance(count)
    return logits
