# %% running
import os
import signal


def running(values):
    os.kill(os.getpid(), signal.SIGSTOP)
