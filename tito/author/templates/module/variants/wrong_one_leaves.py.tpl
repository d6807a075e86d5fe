# ---
# title: The value that leaves is one too early
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
    for at in range(width, len(values)):
        current = current + values[at] - values[at - width + 1]
        sums.append(current)
    return sums
