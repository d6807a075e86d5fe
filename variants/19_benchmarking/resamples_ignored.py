# ---
# title: A thousand samples whatever is asked for
# kind: wrong
# base: reference
# lost: [test_bootstrap_interval]
# ---

# %% bootstrap_interval
def bootstrap_interval(
    values: Sequence[float],
    statistic: Callable[[Array], Any] = np.median,
    confidence: float = 0.95,
    resamples: int = 1000,
    seed: int = 0,
) -> tuple[float, float]:
    if len(values) < 2:
        raise ValueError(f"an interval needs at least two values, got {len(values)}")
    rng = np.random.default_rng(seed)
    repeats = [statistic(rng.choice(values, size=len(values))) for _ in range(1000)]
    outside = (1 - confidence) / 2
    low, high = np.quantile(repeats, [outside, 1 - outside])
    return float(low), float(high)
