# ---
# title: A size below zero gives no blocks, and no error
# kind: wrong
# base: reference
# lost: [test_blocks]
# ---

# %% blocks
def blocks(length, size):
    return [slice(start, min(start + size, length)) for start in range(0, length, size)]
