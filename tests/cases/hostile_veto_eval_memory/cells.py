# %% expression
def expression(number):
    return "[[n] * 1000 for n in range(10**9)]"
