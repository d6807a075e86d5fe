# ---
# title: The warm-up runs are timed as well
# kind: wrong
# base: reference
# lost: [test_run_times]
# ---

# %% run_times
def run_times(run: Work, warmup: int, iterations: int, clock: Clock = now_ms) -> list[float]:
    if iterations < 1 or warmup < 0:
        raise ValueError(f"needs iterations >= 1 and warmup >= 0, got {iterations} and {warmup}")
    times = []
    for _ in range(warmup + iterations):
        start = clock()
        run()
        times.append(clock() - start)
    return times
