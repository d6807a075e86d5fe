# %% total
sum = 0
max = 10
abs = "the student's"
quokk = id = 5


def total(values):
    sum = 0.0
    for value in values:
        sum += value
    return float(sum)
