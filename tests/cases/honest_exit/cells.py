# %% + after:total
import sys

sys.exit()

# %% + after:test_total
exit()

# %% + after:test_shares
quit()
