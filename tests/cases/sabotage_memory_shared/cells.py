# %% + after:setup

import os

taken = []
try:
    for _ in range(40):
        fd = os.memfd_create("hoard")
        os.posix_fallocate(fd, 0, 30 << 20)
        taken.append(fd)
except OSError as error:
    print(type(error).__name__)
print("hoarded" if len(taken) * 30 > 1024 else "within the limit")
for fd in taken:
    os.close(fd)
