# ---
# title: The largest time that is not left out, and one more
# kind: wrong
# base: reference
# lost: [test_early_stopping_estimate]
# ---

# %% early_stopping_estimate
def early_stopping_estimate(times: Sequence[float], percent: float = 90, confidence: float = 0.99) -> float:
    return float(sorted(times)[-slow_runs_allowed(len(times), percent, confidence) - 1])
