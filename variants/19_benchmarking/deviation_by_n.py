# ---
# title: The deviation divides by n
# kind: wrong
# base: reference
# lost: [test_mean_interval]
# ---

# %% mean_interval
def mean_interval(values: Sequence[float], confidence: float = 0.95) -> tuple[float, float]:
    count = len(values)
    half = t_quantile(confidence, count - 1) * np.std(values) / sqrt(count)  # without a degree: ValueError
    middle = np.mean(values)
    return float(middle - half), float(middle + half)
