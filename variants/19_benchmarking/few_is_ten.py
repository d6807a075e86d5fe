# ---
# title: Ten runs are enough
# kind: wrong
# base: reference
# lost: [test_caveats]
# ---

# %% caveats
def caveats(times: Sequence[float], warmup: int | None, tick_ms: float = 0.0) -> list[str]:
    runs = list(times[warmup or 0 :])
    summary = summarize_times(runs)
    late = summarize_times(runs[len(runs) // 2 :])
    early = summarize_times(runs[: len(runs) // 2] or runs)
    apart = abs(early["median_ms"] - late["median_ms"])
    rules = {
        "not settled": warmup is None,
        "few runs": len(runs) < 10,
        "coarse clock": tick_ms > summary["median_ms"] / 100,
        "outliers": summary["outliers"] > len(runs) / 20,
        "drift": apart > max(early["spread_ms"], tick_ms) + max(late["spread_ms"], tick_ms),
    }
    return [word for word, applies in rules.items() if applies]
