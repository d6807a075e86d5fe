# ---
# title: A deque that forgets the warm-up, medians kept by insertion
# kind: correct
# base: reference
# lost: []
# ---

# %% run_times
from bisect import bisect_left, insort
from collections import deque


def run_times(run, warmup, iterations, clock=now_ms):
    if iterations < 1 or warmup < 0:
        raise ValueError("iterations and warmup")
    latest = deque(maxlen=iterations)
    for _ in range(warmup + iterations):
        start = clock()
        run()
        latest.append(clock() - start)
    ### EQUIVALENT a45bb65d by runs: any sequence of times will do
    return list(latest)

# %% summarize_times
def in_the_middle(values):
    ordered = []
    for value in values:
        insort(ordered, float(value))
    low, high = ordered[(len(ordered) - 1) >> 1], ordered[len(ordered) >> 1]
    return (low + high) / 2, ordered


def summarize_times(times):
    if len(times) == 0:
        raise ValueError("empty")
    median, ordered = in_the_middle(times)
    ### EQUIVALENT 01f3a8c3 by times: the distance of two numbers has no direction
    spread, distances = in_the_middle(abs(ms - median) for ms in ordered)
    near = [distance <= 5 * spread for distance in distances]
    return {"median_ms": median, "spread_ms": spread, "outliers": near.count(False), "runs": len(near)}

# %% weight_distribution
def weight_distribution(parameters, percentiles):
    sizes = sorted(abs(w) for p in parameters if p.data.ndim >= 2 for w in p.data.ravel().tolist())
    if sizes == []:
        raise ValueError("no weights")
    mean = sum(sizes) / len(sizes)
    limits = {"0001": 1e-3, "001": 1e-2, "01": 1e-1}
    return {
        "total_weights": len(sizes),
        "mean": mean,
        "std": np.std(sizes),
        "min": sizes[0],
        "max": sizes[-1],
        **{f"below_threshold_{name}": bisect_left(sizes, limit) * 100 / len(sizes) for name, limit in limits.items()},
        **{f"percentile_{p}": np.percentile(sizes, p) for p in percentiles},
    }
