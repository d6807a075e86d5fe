# ---
# title: Context managers of an own class, and an ExitStack
# kind: correct
# base: reference
# lost: []
# ---

# %% run_times
class Lap:
    def __init__(self, clock):
        self.clock = clock

    def __enter__(self):
        self.start = self.clock()
        return self

    def __exit__(self, kind, error, traceback):
        self.ms = self.clock() - self.start


def run_times(run, warmup, iterations, clock=now_ms):
    if not (warmup >= 0 < iterations):
        raise ValueError((warmup, iterations))
    laps = []
    for _ in range(warmup + iterations):
        with Lap(clock) as lap:
            run()
        laps.append(lap)
    return [lap.ms for lap in laps[warmup:]]

# %% observed_memory
import contextlib


def observed_memory(run):
    with contextlib.ExitStack() as stack:
        stack.enter_context(tracing())
        now = tracemalloc.get_traced_memory
        before = now()[0]
        tracemalloc.reset_peak()
        result = run()
        return tuple(int(read - before) for read in reversed(now()))
