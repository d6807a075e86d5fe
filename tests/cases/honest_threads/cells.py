# %% + after:setup
import threading
import time
from concurrent.futures import ThreadPoolExecutor

threading.Thread(target=lambda: [time.sleep(0.05) for _ in range(10_000)], daemon=True).start()
threading.Thread(target=lambda: [time.sleep(0.05) for _ in range(10_000)]).start()

# %% total
def total(values):
    with ThreadPoolExecutor(4) as pool:
        return float(sum(pool.map(float, values)))
