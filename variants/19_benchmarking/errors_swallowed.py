# ---
# title: An error in the block is caught
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
    except Exception:
        return
    timer.elapsed = (clock() - start) / 1000
