# %% + after:setup
import functools
import gc
import locale
import os
import sys
import warnings

import numpy as np
from mini.base import as_floats

warnings.simplefilter("error")
np.seterr(all="raise")
np.set_printoptions(precision=1, threshold=2)
sys.setrecursionlimit(5000)
os.chdir("/tmp")
gc.disable()
locale.setlocale(locale.LC_ALL, "C")
print = functools.partial(print, flush=True)
print("settings made")
