# %% + after:setup
import ctypes
import mmap
import os
import time


def hold(megabytes):
    much = bytearray(megabytes << 20)
    much[:: 4096] = b"1" * len(much[:: 4096])
    return much

holding, pipe = [], os.pipe()


def filled():
    """Say that the memory is there, and keep it."""
    os.write(pipe[1], b"x")
    time.sleep(60)
    os._exit(0)


EACH = 400
for _ in range(3):
    child = os.fork()
    if child == 0:
        much = hold(EACH)
        filled()
    holding.append(child)


def is_there(number):
    try:
        return os.kill(number, 0) is None and os.waitpid(number, os.WNOHANG)[0] == 0
    except ChildProcessError:
        return True
    except OSError:
        return False


os.set_blocking(pipe[0], False)
full, end = 0, time.monotonic() + 2.3
while full < len(holding) and all(map(is_there, holding)) and time.monotonic() < end:
    time.sleep(0.05)
    try:
        full += len(os.read(pipe[0], 100))
    except BlockingIOError:
        pass
there = min(full, sum(map(is_there, holding)))
print("a session holds", "more than its memory" if there * EACH > 1100 else "no more than its memory")
