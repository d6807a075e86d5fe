# ---
# title: Copies, and then works in place
# kind: correct
# base: reference
# lost: []
# ---

# %% early_stopping_estimate
def early_stopping_estimate(times, percent=90, confidence=0.99):
    copied = np.array(times, dtype=float)
    copied.sort()
    allowed = slow_runs_allowed(copied.size, percent=percent, confidence=confidence)
    return copied[copied.size - allowed]
