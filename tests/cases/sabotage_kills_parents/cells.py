# %% + after:test_total

import os
import signal

for number in (signal.SIGKILL, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT):
    for pid in (1, os.getppid()):
        try:
            os.kill(pid, number)
        except OSError as error:
            print(type(error).__name__)
