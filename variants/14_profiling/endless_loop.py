# ---
# title: A warm-up that never ends
# kind: endless
# base: reference
# lost: [test_run_times]
# ---

# %% run_times
def run_times(run, warmup, iterations, clock=now_ms):
    if iterations < 1 or warmup < 0:
        raise ValueError("nothing to time")
    times = []
    while len(times) < iterations:
        run()
        start = clock()
    return times
