# %% expression
def expression(number):
    return "9 ** 9 ** 9 ** 9"
