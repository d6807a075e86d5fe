# ---
# title: As short as numpy and the standard library allow
# kind: correct
# base: reference
# lost: []
# ---

# %% warmup_length
def warmup_length(times, tick_ms=0.0):
    times = np.array(times, dtype=float)
    if times.size < 12:
        raise ValueError(times.size)
    half = times.size // 2
    apart = np.abs(times - np.median(times[half:]))
    settled = apart[:half] <= 5 * np.maximum(np.median(apart[half:]), tick_ms)
    three = settled[:-2] & settled[1:-1] & settled[2:]
    return int(three.argmax()) if three.any() else None

# %% mean_interval
def mean_interval(values, confidence=0.95):
    values = np.asarray(values, float)
    return tuple(values.mean() + np.array([-1, 1]) * t_quantile(confidence, values.size - 1) * values.std(ddof=1) / values.size**0.5)

# %% bootstrap_interval
def bootstrap_interval(values, statistic=np.median, confidence=0.95, resamples=1000, seed=0):
    if len(values) < 2:
        raise ValueError(values)
    draws = np.random.default_rng(seed).choice(values, (resamples, len(values)))
    return tuple(np.quantile([*map(statistic, draws)], [0.5 - confidence / 2, 0.5 + confidence / 2]))

# %% compare_times
def compare_times(base, other, confidence=0.95):
    base, other = np.asarray(base, float), np.asarray(other, float)
    if base.shape != other.shape or (np.minimum(base, other) <= 0).any():
        raise ValueError("no pairs of times")
    low, high = bootstrap_interval(base / other, confidence=confidence)
    return {
        "speedup": np.median(base / other), "low": low, "high": high,
        "verdict": ["cannot tell", "faster", "slower"][(low > 1) - (high < 1)],
    }

# %% pareto_frontier
def pareto_frontier(points, lower_is_better):
    table = np.array(points, float)
    if table.shape[1:] != (len(lower_is_better),) or np.isnan(table).any():
        raise ValueError(points)
    cost = table * np.where(lower_is_better, 1, -1)
    beaten = (cost[None] <= cost[:, None]).all(-1) & (cost[None] < cost[:, None]).any(-1)
    return np.flatnonzero(~beaten.any(1)).tolist()

# %% caveats
def caveats(times, warmup, tick_ms=0.0):
    left = np.asarray(times)[warmup or 0 :]
    whole = summarize_times(left)
    halves = [summarize_times(part) for part in np.split(left, [left.size // 2]) if part.size]
    centres, spreads = ([half[key] for half in halves] for key in ("median_ms", "spread_ms"))
    rules = (
        warmup is None, left.size < 20, tick_ms > 0.01 * whole["median_ms"], whole["outliers"] > 0.05 * left.size,
        np.ptp(centres) > np.maximum(spreads, tick_ms).sum(),
    )
    return [word for word, rule in zip(("not settled", "few runs", "coarse clock", "outliers", "drift"), rules) if rule]
