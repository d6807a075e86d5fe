# ---
# title: Gives nan where there are too few runs
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
        return float("nan")
    return float(sorted(times)[rank - 1])
