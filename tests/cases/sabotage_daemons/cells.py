# %% + after:setup

import os
import signal
import subprocess
import time

for _ in range(4):
    if os.fork() == 0:
        os._exit(0)  # a zombie
for _ in range(3):
    if os.fork() == 0:
        os.setsid()
        for number in range(1, 32):
            try:
                signal.signal(number, signal.SIG_IGN)
            except (OSError, ValueError):
                pass
        if os.fork() == 0:
            time.sleep(3600)
        os._exit(0)
subprocess.Popen(["sh", "-c", "trap '' TERM HUP INT; while true; do sleep 1; done"], start_new_session=True)
