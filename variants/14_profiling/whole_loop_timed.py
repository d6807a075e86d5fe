# ---
# title: All runs are timed together and divided
# kind: wrong
# base: reference
# lost: [test_run_times]
# ---

# %% run_times
def run_times(run, warmup, iterations, clock=now_ms):
    if iterations < 1 or warmup < 0:
        raise ValueError("nothing to time")
    for _ in range(warmup):
        run()
    start = clock()
    for _ in range(iterations):
        run()
    return [(clock() - start) / iterations] * iterations
