# ---
# title: Errors of its own that are ValueErrors
# kind: correct
# base: reference
# lost: []
# ---

# %% calibrate_loops
class NothingDone(ValueError):
    """Work that takes no time."""


def calibrate_loops(run, shortest_ms, clock=now_ms, most=2**20):
    for power in range(most.bit_length()):
        start = clock()
        for _ in range(2**power):
            run()
        if clock() - start >= shortest_ms:
            return 2**power
    raise NothingDone(run)
