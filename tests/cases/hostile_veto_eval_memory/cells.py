# %% expression
def expression(number):
    return "[[n] * 1000 for n in range(10**9)]" if number > 10 else str(number)
