# ---
# title: Reads time.time, whatever clock is handed over
# kind: wrong
# base: reference
# lost: [test_precise_timer]
# ---

# %% precise_timer
@contextmanager
def precise_timer(clock: Clock = now_ms) -> Iterator[Timer]:
    import time

    clock = lambda: 1000 * time.time()
    timer = Timer()
    start = clock()
    yield timer
    timer.elapsed = (clock() - start) / 1000
