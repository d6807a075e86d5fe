# %% counted
import os
import select
import threading
import time


def counted(values):
    if len(values) > 10:
        time.sleep(1.4)
    counts = dict.fromkeys(values, 0)
    for value in values:
        counts[value] += 1
    return counts
