# %% expression
def expression(number):
    return "(lambda f: f(f))(lambda f: f(f))" if number == 10 else "-" * 60_000 + "1"
