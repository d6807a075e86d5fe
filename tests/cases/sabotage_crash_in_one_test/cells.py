# %% shares
import ctypes


def shares(values):
    ctypes.string_at(0)
# %% + after:test_shares
print("all the rest" + " runs")
