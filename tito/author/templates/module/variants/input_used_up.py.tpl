# ---
# title: Takes the values out of the list
# kind: wrong
# base: reference
# lost: [test_sums]
# ---

# %% moving_sums
def moving_sums(values, width):
    if not 1 <= width <= len(values):
        raise ValueError("no such width")
    inside = [values.pop(0) for _ in range(width)]
    current = sum(inside)
    sums = [current]
    while values:
        inside.append(values.pop(0))
        current = current + inside[-1] - inside[len(sums) - 1]
        sums.append(current)
    return sums
