# ---
# title: A context manager from contextlib's own classes
# kind: correct
# base: reference
# lost: []
# ---

# %% precise_timer
from contextlib import ExitStack, contextmanager


@contextmanager
def precise_timer(clock=now_ms):
    timer = Timer()
    begin = clock()

    def finish():
        timer.elapsed = (clock() - begin) / 1000

    with ExitStack() as stack:
        yield timer
        stack.callback(finish)
