# %% + after:test_total

import os
import resource

os.nice(19)
resource.setrlimit(resource.RLIMIT_CPU, (0, 0))
while True:
    pass
