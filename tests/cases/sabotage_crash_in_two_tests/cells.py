# %% shares
import ctypes


def shares(values):
    ctypes.string_at(0)
# %% running
def running(values):
    ctypes.string_at(0)
