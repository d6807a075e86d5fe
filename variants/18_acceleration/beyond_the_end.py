# ---
# title: The last block reaches beyond the end
# kind: wrong
# base: reference
# lost: [test_blocks]
# ---

# %% blocks
def blocks(length, size):
    if size < 1:
        raise ValueError("no block")
    return [slice(start, start + size) for start in range(0, length, size)]
