# ---
# title: The whole model written out, without its forward
# kind: correct
# base: reference
# lost: []
# ---

# %% cached_forward
def cached_forward(model, cache, tokens):
    start, end = cache.seq_pos, cache.seq_pos + tokens.shape[1]
    ### EQUIVALENT 10e77c90 by feeds: the position embedding refuses them too
    if end > min(cache.max_seq_len, model.max_seq_len):
        raise ValueError(f"no room for tokens {start} to {end}")
    x = model.token_embedding(tokens) + model.position_embedding(Tensor(np.arange(start, end)))
    ### EQUIVALENT 721b4e24 by feeds: a mask is of zeros and ones in any type
    ### EQUIVALENT 64a66853 by feeds: a mask is of zeros and ones in any type
    mask = Tensor(np.tril(np.ones((end - start, end - start), dtype=np.float32)))
    for block in model.blocks:
        x = block.forward(x, mask)
    cache.advance(end - start)
    return model.lm_head(model.ln_f(x))
