# ---
# title: The list that is handed over is sorted
# kind: wrong
# base: reference
# lost: [test_summarize_times]
# ---

# %% summarize_times
def summarize_times(times):
    if len(times) == 0:
        raise ValueError("no times")
    times.sort()
    median = np.median(times)
    distances = np.abs(np.array(times) - median)
    spread = np.median(distances)
    return {"median_ms": median, "spread_ms": spread, "outliers": np.sum(distances > 5 * spread), "runs": len(times)}
