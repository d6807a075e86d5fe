# ---
# title: Returns the timer for yielding it
# kind: wrong
# base: reference
# lost: [test_precise_timer]
# ---

# %% precise_timer
@contextmanager
def precise_timer(clock: Clock = now_ms) -> Iterator[Timer]:
    timer = Timer()
    start = clock()
    timer.elapsed = (clock() - start) / 1000
    return timer
