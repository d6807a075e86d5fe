# ---
# title: Faster or slower, and nothing else
# kind: wrong
# base: reference
# lost: [test_compare_times]
# ---

# %% compare_times
def compare_times(base: Sequence[float], other: Sequence[float], confidence: float = 0.95) -> dict[str, Any]:
    if len(base) != len(other) or min(*base, *other) <= 0:
        raise ValueError("times are compared in pairs, and each is above 0")
    ratios = np.asarray(base) / np.asarray(other)
    low, high = bootstrap_interval(ratios, confidence=confidence)
    verdict = "faster" if np.median(ratios) > 1 else "slower"
    return {"speedup": float(np.median(ratios)), "low": low, "high": high, "verdict": verdict}
