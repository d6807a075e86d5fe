# ---
# title: Only the last token's logits are returned
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
    cache.advance(count)
    return logits[:, -1:, :]
