# ---
# title: Medians and deviations of the standard library
# kind: correct
# base: reference
# lost: []
# ---

# %% mean_interval
import statistics


def mean_interval(values, confidence=0.95):
    values = [float(value) for value in values]
    if len(values) < 2:
        raise ValueError("too few")
    mean, room = statistics.fmean(values), statistics.stdev(values) / sqrt(len(values))
    q = t_quantile(confidence, len(values) - 1)
    return mean - q * room, mean + q * room
