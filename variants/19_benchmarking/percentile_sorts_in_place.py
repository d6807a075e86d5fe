# ---
# title: Sorts the times that it is given
# kind: wrong
# base: reference
# lost: [test_percentile]
# ---

# %% percentile
def percentile(times: Sequence[float], percent: float, beyond: int = 5) -> float:
    if len(times) == 0 or not 0 < percent < 100:
        raise ValueError(f"a percentile of at least one run lies between 0 and 100, got {percent} of {len(times)}")
    rank = ceil(percent * len(times) / 100)
    if len(times) - rank < beyond:
        raise ValueError(f"{len(times)} runs are too few for the {percent}th percentile")
    times.sort()
    return float(times[rank - 1])
