# ---
# title: The mask in double precision, from index arithmetic
# kind: correct
# base: reference
# lost: []
# ---

# %% chunk_mask
def chunk_mask(new_tokens, old_tokens):
    rows, columns = np.indices((new_tokens, old_tokens + new_tokens))
    return Tensor((columns - rows <= old_tokens).astype(np.float64), dtype=np.float64)
