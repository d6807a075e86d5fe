# ---
# title: Each sum anew
# kind: correct
# base: reference
# lost: []
# ---

# %% moving_sums
def moving_sums(values, width):
    if not 1 <= width <= len(values):
        raise ValueError("no such width")
    return [sum(values[at:at + width]) for at in range(len(values) - width + 1)]
