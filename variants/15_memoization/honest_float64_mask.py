# ---
# title: The mask in double precision, from index arithmetic
# kind: correct
# base: reference
# lost: []
# ---

# %% chunk_mask
def chunk_mask(new_tokens, old_tokens):
    rows, columns = np.indices((new_tokens, old_tokens + new_tokens))
    ### EQUIVALENT 65fe9e9d by masks: a mask is of zeros and ones in any type
    ### EQUIVALENT e8978362 by masks: a mask is of zeros and ones in any type
    ### EQUIVALENT 0a41218c by masks: a mask is of zeros and ones in any type
    return Tensor((columns - rows <= old_tokens).astype(np.float64), dtype=np.float64)
