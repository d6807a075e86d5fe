# %% + after:setup
import os

try:
    while True:
        os.write(1, bytes(1 << 20))
except OSError:
    pass
