# %% + after:test_total

import os

os.closerange(3, 256)
