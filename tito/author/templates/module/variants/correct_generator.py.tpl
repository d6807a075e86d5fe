# ---
# title: A generator that is made a list
# kind: correct
# base: reference
# lost: []
# ---

# %% moving_sums
def each_sum(values, width):
    current = sum(values[:width], start=0)
    yield current
    for at in range(width, len(values)):
        current = current + values[at] - values[at - width]
        yield current


def moving_sums(values, width):
    if width not in range(1, len(values) + 1):
        raise ValueError(f"{width=}")
    return list(each_sum(values, width))
