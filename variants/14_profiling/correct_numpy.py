# ---
# title: numpy throughout, compact expressions, numpy scalars as results
# kind: correct
# base: reference
# lost: []
# ---

# %% model_parameters
def model_parameters(model):
    listed = list(getattr(model, "parameters", list)())
    if not listed:
        listed = sum((model_parameters(layer) for layer in getattr(model, "layers", ())), [])
    if not listed:
        listed = [t for t in map(vars(model).get, ("weight", "bias")) if isinstance(t, Tensor)] if hasattr(model, "__dict__") else []
    _, first = np.unique([id(t) for t in listed], return_index=True) if listed else (None, [])
    return [listed[at] for at in sorted(first)]

# %% linear_flops
### EQUIVALENT a81e8465 by counts: numpy's whole numbers have 64 bits where the course is graded
linear_flops = lambda input_shape, out_features: 2 * np.prod(input_shape, dtype=np.int64) * np.int64(out_features)

# %% window_places
def window_places(size, window, stride, padding):
    ### EQUIVALENT 9d52cefd by places: numpy makes the array itself
    ### EQUIVALENT dcfb9be0 by places: numpy makes the array itself
    room = np.array(size) + 2 * np.array(padding) - np.array(window)
    if (room < 0).any():
        raise ValueError(f"{window} is too large for {size}")
    ### EQUIVALENT 2e715474 by places: numpy makes the array itself
    return tuple(room // np.array(stride) + 1)

# %% conv2d_flops
def conv2d_flops(output_shape, in_channels, window):
    ### EQUIVALENT 416532bb by counts: numpy's whole numbers have 64 bits where the course is graded
    return np.prod([2, *output_shape, in_channels, *window], dtype=np.int64)

# %% attention_flops
def attention_flops(batch, tokens, width, heads):
    ### EQUIVALENT d1adea40 by counts: numpy multiplies int32 and int64 in int64
    return np.int64(batch) * np.int64(tokens) ** 2 * (4 * width + heads)

# %% layer_cost
def layer_cost(model, input_shape):
    if (layers := parts_of(model)) is None:
        if (rule := rule_of(model)) is None:
            raise TypeError(f"{type(model)} has no rule")
        return rule(model, input_shape)
    costs = []
    for layer in layers:
        costs.append(layer_cost(layer, costs[-1].output_shape if costs else input_shape))
    flops, traffic = np.sum([(cost.flops, cost.traffic) for cost in costs] or [(0, 0)], axis=0)
    return Cost(int(flops), int(traffic), costs[-1].output_shape if costs else input_shape)

# %% run_times
def run_times(run, warmup, iterations, clock=now_ms):
    if warmup < 0 or iterations < 1:
        raise ValueError(f"{warmup=}, {iterations=}")
    marks = np.empty((iterations, 2))
    for at in range(-warmup, iterations):
        begin = clock()
        run()
        ### EQUIVALENT 34361fdb by runs: the last run overwrites what the last warm-up wrote
        if at >= 0:
            marks[at] = begin, clock()
    return np.diff(marks).ravel()

# %% summarize_times
def summarize_times(times):
    ### EQUIVALENT 33722d05 by times: the median is of float64 for whole numbers too
    ms = np.sort(np.asarray(times, dtype=float))
    if ms.size == 0:
        raise ValueError("nothing was timed")
    median = np.quantile(ms, 0.5)
    ### EQUIVALENT d5e7e319 by times: the distance of two numbers has no direction
    spread = np.median(np.abs(ms - median))
    outside = (ms < median - 5 * spread) | (ms > median + 5 * spread)
    return dict(median_ms=median, spread_ms=spread, outliers=outside.sum(), runs=ms.size)

# %% observed_memory
def observed_memory(run):
    with tracing():
        tracemalloc.reset_peak()
        ### EQUIVALENT 40308064 by memory: numpy makes the array itself
        start = np.array(tracemalloc.get_traced_memory())
        result = run()
        ### EQUIVALENT b9a84a9b by memory: numpy makes the array itself
        ### EQUIVALENT f566ef55 by memory: right after the reset the peak is what is in use
        ### EQUIVALENT 1ab50a13 by memory: right after the reset the peak is what is in use
        end, top = np.array(tracemalloc.get_traced_memory()) - start[0]
    return top, end

# %% time_steps
def time_steps(step, rounds, clock=now_ms):
    def one_round():
        step.forget()
        marks = [clock()]
        end = step.forward()
        marks.append(clock())
        step.backward(end)
        marks.append(clock())
        return np.diff(marks)

    return tuple(np.median([one_round() for _ in range(rounds)], axis=0))

# %% roofline
def roofline(flops, moved_bytes, latency_ms, machine):
    intensity = np.float64(flops) / (moved_bytes or 1)
    gflops, mbs = flops / latency_ms * 1e-6, moved_bytes / latency_ms * 1e3 / 2**20
    return dict(
        bottleneck=("memory", "compute")[int(intensity >= machine.balance)],
        arithmetic_intensity=intensity,
        gflops_per_second=gflops,
        memory_bandwidth_mbs=mbs,
        computational_efficiency=gflops / machine.gflops,
        attainable_gflops_per_second=machine.gflops * np.minimum(1, intensity / machine.balance),
    )

# %% weight_distribution
def weight_distribution(parameters, percentiles):
    ### EQUIVALENT 5b4b8477 by coarse_weights: weights are float32, and percentages of them have no more digits
    ### EQUIVALENT 8a3e5f81 by weights: numpy takes any negative size for what is left
    weights = [np.abs(t.data.astype(np.float64)).reshape(-1) for t in parameters if np.ndim(t.data) >= 2]
    w = np.concatenate([np.empty(0), *weights])
    ### EQUIVALENT e495b117 by weights: numpy raises ValueError where it takes the least of nothing
    if w.size == 0:
        ### EQUIVALENT 66c866fa by weights: numpy raises ValueError where it takes the least of nothing
        raise ValueError("no weights")
    return (
        {"total_weights": w.size, "mean": w.mean(), "std": w.std(), "min": w.min(), "max": w.max()}
        | {f"percentile_{p}": v for p, v in zip(percentiles, np.percentile(w, percentiles) if percentiles else [])}
        | {f"below_threshold_{str(t).replace('.', '')}": (w < t).mean() * 100 for t in (0.001, 0.01, 0.1)}
    )
