# %% + after:setup
import time

time.sleep(1.2)

# %% total
def total(values):
    time.sleep(0.4)
    return float(sum(values))
