# %% expression
def expression(number):
    return "9 ** 9 ** 9 ** 9" if number > 10 else str(number)
