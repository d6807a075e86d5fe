# ---
# title: The timer is its own context manager
# kind: correct
# base: reference
# lost: []
# ---

# %% precise_timer
class precise_timer(Timer):
    def __init__(self, clock=now_ms):
        self._clock = clock

    def __enter__(self):
        self._start = self._clock()
        return self

    def __exit__(self, *error):
        stop = self._clock()
        if error[0] is None:
            self.elapsed = (stop - self._start) / 1000.0
