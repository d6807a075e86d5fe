# %% + after:test_total

import os
import signal
import time

os.kill(1, signal.SIGINT)
time.sleep(0.2)
