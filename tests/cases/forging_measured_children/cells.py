# %% counted
import os
import select
import threading
import time


def counted(values):
    if len(values) > 10:
        child = os.fork()
        if child == 0:
            much = bytearray(500 << 20)
            much[:: 4096] = b"1" * len(much[:: 4096])
            start = time.process_time()
            while time.process_time() - start < 1.1:
                pass
            os._exit(0)
        os.waitpid(child, 0)
    counts = dict.fromkeys(values, 0)
    for value in values:
        counts[value] += 1
    return counts
