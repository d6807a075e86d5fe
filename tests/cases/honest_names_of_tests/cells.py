# %% smoothed
width = 2
width_of_two = "what width is"


def again(values, at):
    return values[max(0, at + 1 - width) : at + 1]


def longest(values):
    return [float(np.mean(again(values, at))) for at in range(len(values))]


def smoothed(values):
    return longest(values)
# %% + after:test_smoothed
print(width_of_two, longest([1.0]))
# %% spread
def rest(values):
    return max(values), min(values)


def spread(values):
    top, bottom = rest(values)
    return float(top - bottom)
