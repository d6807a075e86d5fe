# %% report
def report(student):
    return "../../submitted/a-neighbour/09_foreign/foreign.ipynb", "{}"
