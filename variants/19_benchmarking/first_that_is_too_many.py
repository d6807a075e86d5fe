# ---
# title: One too many
# kind: wrong
# base: reference
# lost: [test_slow_runs_allowed]
# ---

# %% slow_runs_allowed
def slow_runs_allowed(runs: int, percent: float = 90, confidence: float = 0.99) -> int:
    slow, chance = 1 - percent / 100, 0.0
    for over in range(runs + 1):
        chance += comb(runs, over) * slow**over * (1 - slow) ** (runs - over)
        if chance > 1 - confidence:
            break
    if over < 2:
        raise ValueError(f"{runs} runs are too few for the {percent}th percentile at a confidence of {confidence}")
    return over
