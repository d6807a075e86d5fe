# ---
# title: An empty block where the size divides the length
# kind: wrong
# base: reference
# lost: [test_blocks]
# ---

# %% blocks
def blocks(length, size):
    if size < 1:
        raise ValueError("no block")
    return [slice(number * size, min((number + 1) * size, length)) for number in range(length // size + 1)]
