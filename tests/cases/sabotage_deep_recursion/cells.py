# %% + after:test_total

import sys

sys.setrecursionlimit(10**8)


class Down:
    def __repr__(self):
        return repr(self)


repr(Down())
