# %% + after:setup

import os
import signal
import time

made = []
try:
    for _ in range(300):
        made.append(os.fork())
        if made[-1] == 0:
            time.sleep(60)
            os._exit(0)
except OSError as error:
    print(type(error).__name__)
print("a flood of processes" if len(made) > 130 else "a few processes")
for pid in made:
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
