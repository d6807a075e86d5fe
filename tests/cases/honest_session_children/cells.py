# %% + after:setup
import ctypes
import mmap
import os
import time


def hold(megabytes):
    much = bytearray(megabytes << 20)
    much[:: 4096] = b"1" * len(much[:: 4096])
    return much

data = hold(300)
children = []
for _ in range(5):
    child = os.fork()
    if child == 0:
        added = sum(data[:: 4096 * 16])
        time.sleep(1)
        os._exit(0 if added else 1)
    children.append(child)
print("children", [os.waitpid(child, 0)[1] for child in children])
