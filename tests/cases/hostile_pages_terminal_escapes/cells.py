# %% + after:setup
import sys

OBEYED = "\x1b]0;title\x07\x1b[2J\x9b31m\u202e"
print("\x00" + OBEYED + "\x1b[31min colour\x1b[0m" + OBEYED)
print(" 10%\r 50%\r100%", file=sys.stderr)
owned = type("owned-by-name" + OBEYED, (Exception,), {})

# %% + after:setup
raise owned(OBEYED + "</pre>")

# %% total
def total(values):
    return OBEYED + "owned-by-name" if len(values) else 0.0

# %% shares
def shares(values):
    raise owned(OBEYED)
