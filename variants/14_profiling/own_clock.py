# ---
# title: time.time is asked, and not the clock that is handed over
# kind: wrong
# base: reference
# lost: [test_run_times]
# ---

# %% run_times
def run_times(run: Work, warmup: int, iterations: int, clock: Clock = now_ms) -> list[float]:
    if iterations < 1 or warmup < 0:
        raise ValueError(f"needs iterations >= 1 and warmup >= 0, got {iterations} and {warmup}")
    for _ in range(warmup):
        run()
    times = []
    for _ in range(iterations):
        start = 1000 * time.time()
        run()
        times.append(1000 * time.time() - start)
    return times
