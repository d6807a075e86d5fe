# %% total
def total(values):
    added = 0.0
    values = list(values)
    while values:
        added += float(values.pop())
    return added

# %% running
def running(values):
    for at in range(1, len(values)):
        values[at] += values[at - 1]
    return [float(value) for value in values]
