# %% + after:setup
import threading
from concurrent.futures import ThreadPoolExecutor

together = threading.Barrier(100, timeout=2)
with ThreadPoolExecutor(100) as pool:
    waited = list(pool.map(lambda number: together.wait(), range(100)))
print("a " + "hundred threads" if sorted(waited) == list(range(100)) else "too few")
