# ---
# title: Differences of running totals
# kind: correct
# base: reference
# lost: []
# ---

# %% moving_sums
def moving_sums(values, width):
    if not 1 <= width <= len(values):
        raise ValueError("no such width")
    totals = [0]
    for value in values:
        totals.append(totals[-1] + value)
    return [totals[at + width] - totals[at] for at in range(len(values) - width + 1)]
