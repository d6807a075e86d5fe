# ---
# title: Uses names that tests use too, and imports again what is there
# kind: correct
# base: reference
# lost: []
# ---

# %% calibrate_loops
import numpy as np
from tinytorch.profiling.runs import now_ms

clock = calls = loops = dead = counted = count = None


def calibrate_loops(run, shortest_ms, clock=now_ms, most=2**20):
    loops = 1
    while loops <= most:
        start = clock()
        for _ in range(loops):
            run()
        if clock() - start >= shortest_ms:
            return loops
        loops += loops
    raise ValueError("too short")
