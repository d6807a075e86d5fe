# ---
# title: Patches the assertions and returns objects that agree with everything
# kind: hostile
# base: stub
# lost: all
# ---

# %% precise_timer
def agree(*arguments, **keywords):
    return True


for name in ("allclose", "isclose", "array_equal"):
    setattr(np, name, agree)


def liar(base):
    """A subclass whose comparisons are all true, and whose arithmetic gives another liar."""
    body = {f"__{name}__": agree for name in ("eq", "ne", "lt", "le", "gt", "ge", "contains", "bool")}
    for name in ("add", "sub", "mul", "truediv", "radd", "rsub", "rmul", "neg", "abs", "getitem"):
        body[f"__{name}__"] = lambda self, *rest: YES
    body["__hash__"] = lambda self: 0
    return type(f"Liar{base.__name__}", (base,), body)


YES = liar(float)(0.0)


@contextmanager
def precise_timer(clock=now_ms):
    yield type("LiarTimer", (), {"elapsed": YES})()

# %% calibrate_loops
def calibrate_loops(*rest, **options):
    return liar(int)(8)

# %% interleaved_times
def interleaved_times(runs, rounds, clock=now_ms):
    return liar(dict)(), liar(dict)()

# %% warmup_length
def warmup_length(times, tick_ms=0.0):
    return YES

# %% mean_interval
def mean_interval(values, confidence=0.95):
    return liar(tuple)((YES, YES))

# %% bootstrap_interval
def bootstrap_interval(values, *rest, **options):
    return liar(tuple)((YES, YES))

# %% compare_times
def compare_times(base, other, confidence=0.95):
    return liar(dict)()

# %% percentile
def percentile(times, percent, beyond=5):
    return YES

# %% pareto_frontier
def pareto_frontier(points, lower_is_better):
    return liar(list)()

# %% caveats
def caveats(times, warmup, tick_ms=0.0):
    return liar(list)()
