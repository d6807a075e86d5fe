# ---
# title: Objects that are called, in the place of functions
# kind: correct
# base: reference
# lost: []
# ---

# %% early_stopping_estimate
class Estimate:
    def __call__(self, times, percent=90, confidence=0.99):
        return sorted(times)[len(times) - slow_runs_allowed(len(times), percent, confidence)]


early_stopping_estimate = Estimate()
