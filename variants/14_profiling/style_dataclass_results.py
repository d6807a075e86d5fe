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
    ### EQUIVALENT 58cefef2 by times: the median is of float64 for whole numbers too
    ### EQUIVALENT 7bd013e3 by times: numpy makes the array itself
    data = np.asarray(list(times)).astype(float) if len(times) else None
    if data is None:
        raise IndexErrorOfMine("no times")
    centre = np.median(data)
    ### EQUIVALENT 970fa24a by times: the distance of two numbers has no direction
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
        result = run()
        now, top = tracemalloc.get_traced_memory()
    return Memory(peak=top - start, retained=now - start)
