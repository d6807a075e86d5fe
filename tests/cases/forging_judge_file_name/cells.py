# %% report
def report(student):
    return "mini/base.py", "raise SystemExit"
