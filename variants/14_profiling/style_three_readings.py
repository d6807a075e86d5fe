# ---
# title: Three readings of the clock, medians by sorting, numpy arrays handed back
# kind: correct
# base: reference
# lost: []
# ---

# %% time_steps
def time_steps(step, rounds, clock=now_ms):
    times = np.zeros((rounds, 2))
    for row in times:
        step.forget()
        a = clock()
        end = step.forward()
        b = clock()
        step.backward(end)
        row[:] = b - a, clock() - b
    ordered = np.sort(times, axis=0)
    return (ordered[(rounds - 1) // 2] + ordered[rounds // 2]) / 2

# %% weight_distribution
def weight_distribution(parameters, percentiles):
    chosen = []
    for parameter in parameters:
        ### EQUIVALENT 9975c6e9 by coarse_weights: weights are float32, and percentages of them have no more digits
        array = np.array(parameter.data, dtype=np.float64)
        if array.ndim >= 2:
            chosen.append(np.abs(array).flatten())
    total = sum(map(len, chosen))
    if total == 0:
        raise ValueError("there is nothing to analyse")
    values = np.sort(np.hstack(chosen))
    ### EQUIVALENT 3d5d5f63 by weights: left is what numpy takes
    share = lambda limit: 100.0 * np.searchsorted(values, limit, side="left") / total
    out = {f"percentile_{p}": np.percentile(values, p) for p in percentiles}
    out.update(total_weights=total, mean=np.mean(values), std=np.std(values), min=values[0], max=values[-1])
    out.update(below_threshold_0001=share(1e-3), below_threshold_001=share(1e-2), below_threshold_01=share(1e-1))
    return out
