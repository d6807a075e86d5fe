# ---
# title: Places drawn at once, quantiles from a sorted list
# kind: correct
# base: reference
# lost: []
# ---

# %% bootstrap_interval
def bootstrap_interval(values, statistic=np.median, confidence=0.95, resamples=1000, seed=0):
    values = np.asarray(values)
    if values.size < 2:
        raise ValueError("too few")
    places = np.random.default_rng(seed).integers(values.size, size=(resamples, values.size))
    ordered = sorted(float(statistic(values[row])) for row in places)
    drop = int((1 - confidence) / 2 * resamples)
    return ordered[drop], ordered[-1 - drop]
