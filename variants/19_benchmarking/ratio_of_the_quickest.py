# ---
# title: Best against best
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
    verdict = "faster" if low > 1 else "slower" if high < 1 else "cannot tell"
    return {"speedup": float(min(base) / min(other)), "low": low, "high": high, "verdict": verdict}
