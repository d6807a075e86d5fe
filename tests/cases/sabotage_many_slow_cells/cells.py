# %% + after:test_total
import time

time.sleep(2.8)

# %% + after:test_total
import time

time.sleep(2.8)

# %% + after:test_total
import time

time.sleep(2.8)

# %% + after:test_total
import time

time.sleep(2.8)

# %% + after:test_total
import time

time.sleep(2.8)

# %% + after:test_total
import time

time.sleep(2.8)

# %% + after:test_total
import time

time.sleep(2.8)

# %% + after:test_total
import time

time.sleep(2.8)

# %% + after:test_total
import time

time.sleep(2.8)

# %% + after:test_total
import time

time.sleep(2.8)
