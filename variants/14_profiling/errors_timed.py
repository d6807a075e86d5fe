# ---
# title: An exception of the model is caught, and timed
# kind: wrong
# base: reference
# lost: [test_run_times]
# ---

# %% run_times
def run_times(run, warmup, iterations, clock=now_ms):
    if iterations < 1 or warmup < 0:
        raise ValueError("nothing to time")
    times = []
    for number in range(warmup + iterations):
        start = clock()
        try:
            run()
        except Exception:
            pass
        if number >= warmup:
            times.append(clock() - start)
    return times
