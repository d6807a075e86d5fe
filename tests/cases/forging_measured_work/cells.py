# %% counted
import os
import select
import threading
import time


def counted(values):
    if len(values) > 10:
        start = time.process_time()
        while time.process_time() - start < 1.1:
            pass
    counts = dict.fromkeys(values, 0)
    for value in values:
        counts[value] += 1
    return counts
