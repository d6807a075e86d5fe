# ---
# title: A block that raises has a time
# kind: wrong
# base: reference
# lost: [test_precise_timer]
# ---

# %% precise_timer
@contextmanager
def precise_timer(clock: Clock = now_ms) -> Iterator[Timer]:
    timer = Timer()
    start = clock()
    try:
        yield timer
    finally:
        timer.elapsed = (clock() - start) / 1000
