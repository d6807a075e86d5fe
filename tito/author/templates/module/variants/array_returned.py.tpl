# ---
# title: An array instead of a list
# kind: wrong
# base: reference
# lost: [test_sums]
# ---

# %% moving_sums
def moving_sums(values, width):
    if not 1 <= width <= len(values):
        raise ValueError("no such width")
    current = sum(values[:width])
    sums = [current]
    for entering, leaving in zip(values[width:], values):
        current = current + entering - leaving
        sums.append(current)
    return np.array(sums)
