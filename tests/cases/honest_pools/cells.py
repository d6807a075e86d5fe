# %% + after:setup
import multiprocessing
import threading
from concurrent.futures import ThreadPoolExecutor


def squared(value):
    return value * value


with multiprocessing.get_context("fork").Pool(2) as pool:
    print("pool", pool.map(squared, [1, 2, 3]))
with ThreadPoolExecutor(2) as threads:
    print("threads", list(threads.map(squared, [1, 2, 3])))
timer = threading.Timer(1000, print)
timer.start()
multiprocessing.Process(target=timer.join).start()
