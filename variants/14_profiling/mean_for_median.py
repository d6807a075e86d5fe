# ---
# title: The mean is reported as the median
# kind: wrong
# base: reference
# lost: [test_summarize_times]
# ---

# %% summarize_times
def summarize_times(times: Sequence[float]) -> dict[str, float]:
    if len(times) == 0:
        raise ValueError("no times, so there is nothing to summarize")
    taken = np.array(times, dtype=np.float64)
    median = np.mean(taken)
    distances = np.abs(taken - median)
    spread = np.median(distances)
    return {
        "median_ms": float(median),
        "spread_ms": float(spread),
        "outliers": int(np.sum(distances > 5 * spread)),
        "runs": len(taken),
    }
