# ---
# title: Star imports of math and itertools
# kind: correct
# base: reference
# lost: []
# ---

# %% slow_runs_allowed
from itertools import *
from math import *


def slow_runs_allowed(runs, percent=90, confidence=0.99):
    q = 1 - percent / 100
    sums = accumulate(comb(runs, k) * pow(q, k) * pow(1 - q, runs - k) for k in count())
    allowed = sum(1 for _ in takewhile(lambda chance: chance <= 1 - confidence, islice(sums, runs + 1))) - 1
    if allowed < 1:
        raise ValueError("too few")
    return allowed
