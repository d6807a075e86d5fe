# ---
# title: Gives milliseconds for seconds
# kind: wrong
# base: reference
# lost: [test_precise_timer]
# ---

# %% precise_timer
@contextmanager
def precise_timer(clock: Clock = now_ms) -> Iterator[Timer]:
    timer = Timer()
    start = clock()
    yield timer
    timer.elapsed = (clock() - start)
