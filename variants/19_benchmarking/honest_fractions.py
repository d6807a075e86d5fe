# ---
# title: Exact fractions for the binomial sum
# kind: correct
# base: reference
# lost: []
# ---

# %% slow_runs_allowed
from fractions import Fraction


def slow_runs_allowed(runs, percent=90, confidence=0.99):
    quick = Fraction(str(percent)) / 100
    limit, total, allowed = 1 - Fraction(str(confidence)), Fraction(0), -1
    for k in range(runs + 1):
        total += comb(runs, k) * (1 - quick) ** k * quick ** (runs - k)
        if total > limit:
            break
        allowed = k
    if allowed < 1:
        raise ValueError("too few runs")
    return allowed
