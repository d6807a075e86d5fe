# ---
# title: A new token may not see itself
# kind: wrong
# base: reference
# lost: [test_chunk_mask]
# ---

# %% chunk_mask
def chunk_mask(new_tokens, old_tokens):
    return Tensor(np.tri(new_tokens, old_tokens + new_tokens, old_tokens - 1))
