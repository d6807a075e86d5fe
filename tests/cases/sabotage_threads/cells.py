# %% + after:setup

import threading
import time

made = 0
try:
    for _ in range(300):
        threading.Thread(target=time.sleep, args=(60,), daemon=True).start()
        made += 1
except (RuntimeError, MemoryError) as error:
    print(type(error).__name__)
print("a flood of threads" if made > 130 else "a few threads")
