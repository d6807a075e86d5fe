# %% + after:setup
import os
import time

left = []
try:
    for _ in range(1000):
        left.append(os.fork())
        if left[-1] == 0:
            time.sleep(60)
            os._exit(0)
except BlockingIOError:
    print("no more" + " processes")
