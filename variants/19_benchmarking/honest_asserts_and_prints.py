# ---
# title: Prints what it does and asserts what it believes
# kind: correct
# base: reference
# lost: []
# ---

# %% early_stopping_estimate
def early_stopping_estimate(times, percent=90, confidence=0.99):
    allowed = slow_runs_allowed(len(times), percent, confidence)
    print(f"{allowed} of {len(times)} may be slow")
    ordered = sorted(times, reverse=True)
    assert allowed >= 1
    return ordered[allowed - 1]
