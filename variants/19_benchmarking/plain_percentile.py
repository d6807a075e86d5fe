# ---
# title: numpy's percentile for the estimate
# kind: wrong
# base: reference
# lost: [test_early_stopping_estimate]
# ---

# %% early_stopping_estimate
def early_stopping_estimate(times: Sequence[float], percent: float = 90, confidence: float = 0.99) -> float:
    return float(np.percentile(times, percent))
