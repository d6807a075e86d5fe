# %% total
%precision 4
first = float(warm[0])


def total(values):
    added = 0.0
    for value in values:
        added += float(value) * first
    return added
