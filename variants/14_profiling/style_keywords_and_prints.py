# ---
# # Under plain nbgrader it loses the 8 points of its test, by nbgrader's own fault: that takes any text on stderr for a
# # failure (the case honest_warnings of the corpus). Otter and our engine do not.
# title: Prints everything, warns, and is called by keyword
# kind: correct
# base: reference
# lost: []
# ---

# %% run_times
import sys
import warnings


def run_times(run, warmup, iterations, clock=now_ms):
    print("timing", iterations, "runs after", warmup)
    print("watch out", file=sys.stderr)
    warnings.warn("timing is delicate", stacklevel=2)
    if not (iterations >= 1 and warmup >= 0):
        raise ValueError(f"iterations={iterations}, warmup={warmup}")
    return [lasted(run=run, clock=clock) for number in range(warmup + iterations)][warmup:]


def lasted(*, run, clock):
    start = clock()
    run()
    return clock() - start
