# ---
# title: The mask of small integers, row by row
# kind: correct
# base: reference
# lost: []
# ---

# %% chunk_mask
def chunk_mask(new_tokens, old_tokens):
    rows = [[1] * (old_tokens + row + 1) + [0] * (new_tokens - row - 1) for row in range(new_tokens)]
    return Tensor(np.array(rows, dtype=np.int8))
