# ---
# title: The time is 0 until the block has ended
# kind: wrong
# base: reference
# lost: [test_precise_timer]
# ---

# %% precise_timer
@contextmanager
def precise_timer(clock: Clock = now_ms) -> Iterator[Timer]:
    timer = Timer()
    timer.elapsed = 0.0
    start = clock()
    yield timer
    timer.elapsed = (clock() - start) / 1000
