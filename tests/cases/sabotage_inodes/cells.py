# %% + after:setup

import os

made = 0
try:
    for number in range(40_000):
        os.close(os.open(f"/tmp/{number}", os.O_CREAT))
        made += 1
except OSError as error:
    print(error.strerror)
print("a flood of files" if made > 30_000 else "within the limit")
