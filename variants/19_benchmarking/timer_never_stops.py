# ---
# title: The time is read when it is asked for
# kind: wrong
# base: reference
# lost: [test_precise_timer]
# ---

# %% precise_timer
@contextmanager
def precise_timer(clock: Clock = now_ms) -> Iterator[Timer]:
    start = clock()

    class Running:
        elapsed = property(lambda self: (clock() - start) / 1000)

    yield Running()
