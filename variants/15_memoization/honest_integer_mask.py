# ---
# title: The mask of small integers, row by row
# kind: correct
# base: reference
# lost: []
# ---

# %% chunk_mask
def chunk_mask(new_tokens, old_tokens):
    rows = [[1] * (old_tokens + row + 1) + [0] * (new_tokens - row - 1) for row in range(new_tokens)]
    ### EQUIVALENT 4cb9cd87 by masks: a mask is of zeros and ones in any type
    ### EQUIVALENT 33cf63b3 by masks: a mask is of zeros and ones in any type
    ### EQUIVALENT 4baca1ca by masks: a mask is of zeros and ones in any type
    return Tensor(np.array(rows, dtype=np.int8))
