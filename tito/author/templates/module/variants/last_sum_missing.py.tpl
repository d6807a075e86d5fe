# ---
# title: The last sum is missing
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
    for at in range(width, len(values) - 1):
        current = current + values[at] - values[at - width]
        sums.append(current)
    return sums
