# ---
# title: Results as subclasses and records of the student's own
# kind: correct
# base: reference
# lost: []
# ---

# %% summarize_times
from collections import OrderedDict, namedtuple


class Times(OrderedDict):
    """The figures, in the order in which they are told."""


def summarize_times(times):
    data = np.asarray(list(times), dtype=np.float32).astype(float) if len(times) else None
    if data is None:
        raise IndexErrorOfMine("no times")
    centre = np.median(data)
    off = abs(data - centre)
    mad = np.median(off)
    return Times(median_ms=centre, spread_ms=mad, outliers=np.count_nonzero(off > 5 * mad), runs=data.shape[0])


class IndexErrorOfMine(ValueError):
    pass

# %% observed_memory
Memory = namedtuple("Memory", "peak retained")


def observed_memory(run):
    with tracing():
        start = tracemalloc.get_traced_memory()[0]
        tracemalloc.reset_peak()
        kept = run()
        now, top = tracemalloc.get_traced_memory()
    return Memory(peak=top - start, retained=now - start)
