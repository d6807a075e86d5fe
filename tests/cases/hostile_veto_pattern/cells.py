# %% year
def year():
    return r"[0-9]{4}|([0-9]+)+x"
