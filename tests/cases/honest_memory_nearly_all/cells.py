# %% + after:setup
import threading

enough = threading.Event()
waiting = [threading.Thread(target=enough.wait, args=(20,)) for _ in range(16)]
for thread in waiting:
    thread.start()
held = [np.ones(1 << 20) for _ in range(95)]
print(sum(array.nbytes for array in held) >> 20, "MiB" + " held")
enough.set()
del held
