# ---
# title: The logits are zeros (what equality with itself would let pass)
# kind: wrong
# base: reference
# lost: [test_cached_forward]
# ---

# %% cached_forward
def cached_forward(model, cache, tokens):
    count = tokens.shape[-1]
    if cache.seq_pos + count > cache.max_seq_len:
        raise ValueError("full")
    cache.advance(count)
    return Tensor(np.zeros((*tokens.shape, model.vocab_size)))
