# ---
# title: Tries things out between
# kind: correct
# base: reference
# lost: []
# ---

# %% mean_interval
print(help(np.std))
print([round(t_quantile(0.95, degrees), 3) for degrees in (1, 2, 9, 30)])


def mean_interval(values, confidence=0.95):
    n = len(values)
    if n < 2:
        raise ValueError("one value")
    s = np.sqrt(np.sum((np.asarray(values) - np.mean(values)) ** 2) / (n - 1))
    q = t_quantile(confidence, n - 1)
    return np.mean(values) - q * s / np.sqrt(n), np.mean(values) + q * s / np.sqrt(n)


print(mean_interval([1.0, 2.0, 3.0]))
