# %% running
import ctypes


def running(values):
    ctypes.string_at(0)
