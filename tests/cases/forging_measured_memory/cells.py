# %% counted
import os
import select
import threading
import time


def counted(values):
    if len(values) > 10:
        much = bytearray(500 << 20)
        much[:: 4096] = b"1" * len(much[:: 4096])
        time.sleep(0.3)
        del much
    counts = dict.fromkeys(values, 0)
    for value in values:
        counts[value] += 1
    return counts
