# ---
# title: Whole blocks only
# kind: wrong
# base: reference
# lost: [test_blocks]
# ---

# %% blocks
def blocks(length, size):
    if size < 1:
        raise ValueError("no block")
    return [slice(number * size, (number + 1) * size) for number in range(length // size)]
