# ---
# title: What is too quick counts as settled
# kind: wrong
# base: reference
# lost: [test_warmup_length]
# ---

# %% warmup_length
def warmup_length(times: Sequence[float], tick_ms: float = 0.0) -> int | None:
    if len(times) < 12:
        raise ValueError(f"12 runs are the least that can tell a warm-up, got {len(times)}")
    half = len(times) // 2
    late = np.asarray(times[half:])
    steady = np.median(late)
    spread = np.median(np.abs(late - steady))
    settled = np.asarray(times) - steady <= 5 * max(spread, tick_ms)
    for start in range(half - 2):
        if settled[start : start + 3].all():
            return start
    return None
