# ---
# title: No width is refused
# kind: wrong
# base: reference
# lost: [test_refusals]
# ---

# %% moving_sums
def moving_sums(values, width):
    current = sum(values[:width])
    sums = [current]
    for entering, leaving in zip(values[width:], values):
        current = current + entering - leaving
        sums.append(current)
    return sums
