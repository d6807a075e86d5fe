# %% + after:test_total
import os
import time

deadline = time.monotonic() + 1
while time.monotonic() < deadline:  # an end, should there be no limit
    try:
        if os.fork() == 0 and time.monotonic() > deadline - 0.5:
            time.sleep(60)
    except OSError:
        time.sleep(0.01)
os._exit(0)
