# ---
# title: A new token may see all of its chunk
# kind: wrong
# base: reference
# lost: [test_chunk_mask]
# ---

# %% chunk_mask
def chunk_mask(new_tokens, old_tokens):
    return Tensor(np.ones((new_tokens, old_tokens + new_tokens)))
