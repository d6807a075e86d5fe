# %% expression
def expression(number):
    return "-" * 60_000 + "1" if number > 10 else str(number)
