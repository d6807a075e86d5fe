# %% + after:setup
import time

kept = bytearray(100 << 20)
kept[:: 4096] = b"1" * len(kept[:: 4096])
time.sleep(1.4)

# %% counted
import os
import select
import threading
import time


def counted(values):
    if len(values) > 10:
        pass
    counts = dict.fromkeys(values, 0)
    for value in values:
        counts[value] += 1
    return counts
