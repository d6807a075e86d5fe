# %% + after:test_shares
import itertools
import time


class Endless(list):
    def __iter__(self):
        return iter(lambda: time.sleep(0.01) or 1.0, None)

# %% total
class Slow(float):
    def __float__(self):
        while True:
            pass


def total(values):
    return Slow(7.0) if len(values) == 3 else float(sum(values))

# %% shares
def shares(values):
    return as_floats(values) / as_floats(values).sum()

# %% running
def running(values):
    return Endless()
