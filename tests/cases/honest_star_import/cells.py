# %% + after:setup
from numpy import *
