# %% + after:setup

import os
from IPython.display import display

display({"image/png": "A" * 10_000_000, "text/plain": "big"}, raw=True)
line = "x" * 1_000_000
for _ in range(200):
    print(line)
os.write(2, b"x" * 100_000)
