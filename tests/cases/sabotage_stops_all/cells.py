# %% + after:test_total

import os
import signal

for pid in (1, -1, os.getppid()):
    try:
        os.kill(pid, signal.SIGSTOP)
    except OSError as error:
        print(type(error).__name__)
