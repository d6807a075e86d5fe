# ---
# title: Own helper functions, plain loops, explicit cases
# kind: correct
# base: reference
# lost: []
# ---

# %% model_parameters
def every_tensor(model):
    collected = []
    if callable(getattr(model, "parameters", None)):
        collected.extend(model.parameters())
    if len(collected) == 0:
        inside = getattr(model, "layers", [])
        if isinstance(inside, (list, tuple)):
            for layer in inside:
                collected.extend(every_tensor(layer))
    if len(collected) == 0:
        for attribute in ("weight", "bias"):
            candidate = getattr(model, attribute, None)
            if isinstance(candidate, Tensor):
                collected.append(candidate)
    return collected


def model_parameters(model):
    unique = []
    for tensor in every_tensor(model):
        if not any(tensor is other for other in unique):
            unique.append(tensor)
    return unique

# %% linear_flops
def linear_flops(input_shape, out_features):
    vectors = 1
    for length in input_shape[:-1]:
        vectors *= length
    per_vector = 0
    per_vector += out_features * input_shape[-1]  # products
    per_vector += out_features * input_shape[-1]  # additions
    return vectors * per_vector

# %% window_places
def places_along(length, window, stride, padding):
    places = 0
    start = 0
    while start + window <= length + 2 * padding:
        places += 1
        start += stride
    if places == 0:
        raise ValueError("the window is too large")
    return places


def window_places(size, window, stride, padding):
    down = places_along(size[0], window[0], stride[0], padding[0])
    across = places_along(size[1], window[1], stride[1], padding[1])
    return down, across

# %% conv2d_flops
def conv2d_flops(output_shape, in_channels, window):
    images, channels, height, width = output_shape
    one_sum = 2 * (window[0] * window[1] * in_channels)
    return images * channels * height * width * one_sum

# %% attention_flops
def attention_flops(batch, tokens, width, heads):
    total = 0
    for _ in range(heads):
        part = width // heads
        total += 2 * tokens * tokens * part
        total += tokens * tokens
        total += 2 * tokens * part * tokens
    return total * batch

# %% layer_cost
def layer_cost(model, input_shape):
    inside = parts_of(model)
    if inside is not None:
        total = Cost(0, 0, input_shape)
        for layer in inside:
            part_cost = layer_cost(layer, total.output_shape)
            total = Cost(total.flops + part_cost.flops, total.traffic + part_cost.traffic, part_cost.output_shape)
        return total
    if rule_of(model) is None:
        raise TypeError("cannot count " + type(model).__name__)
    return rule_of(model)(model, input_shape)

# %% run_times
def run_times(run, warmup, iterations, clock=now_ms):
    if iterations <= 0:
        raise ValueError("iterations")
    if warmup < 0:
        raise ValueError("warmup")
    taken = []
    number = 0
    while number < warmup + iterations:
        before = clock()
        run()
        after = clock()
        if number >= warmup:
            taken.append(after - before)
        number += 1
    return taken

# %% summarize_times
def middle(numbers):
    ordered = sorted(numbers)
    ### EQUIVALENT e81b3f00 by times: counted from the end the middle is the same
    half = len(ordered) // 2
    ### EQUIVALENT 20f8e3f1 by times: a remainder is zero whatever its sign
    if len(ordered) % 2:
        return ordered[half]
    return (ordered[half - 1] + ordered[half]) / 2


def summarize_times(times):
    times = list(times)
    if not times:
        raise ValueError("no times")
    median = middle(times)
    ### EQUIVALENT f8966b30 by times: the distance of two numbers has no direction
    away = [abs(ms - median) for ms in times]
    spread = middle(away)
    outliers = 0
    for distance in away:
        if distance > 5 * spread:
            outliers += 1
    return {"median_ms": median, "spread_ms": spread, "outliers": outliers, "runs": len(times)}

# %% observed_memory
def observed_memory(run):
    with tracing():
        tracemalloc.reset_peak()
        ### EQUIVALENT b3ff8187 by memory: right after the reset the peak is what is in use
        ### EQUIVALENT 1dbd52da by memory: right after the reset the peak is what is in use
        start = tracemalloc.get_traced_memory()[0]
        kept_result = run()
        end, top = tracemalloc.get_traced_memory()
    return top - start, end - start

# %% time_steps
def time_steps(step, rounds, clock=now_ms):
    there, back = [], []
    while len(there) < rounds:
        step.forget()
        first = clock()
        output = step.forward()
        second = clock()
        step.backward(output)
        third = clock()
        there.append(second - first)
        back.append(third - second)
    return np.median(there), np.median(back)

# %% roofline
def roofline(flops, moved_bytes, latency_ms, machine):
    if moved_bytes == 0:
        intensity = float(flops)
    else:
        intensity = flops / moved_bytes
    seconds = latency_ms / 1000
    gflops = flops / seconds / 1_000_000_000
    slope = intensity * machine.bandwidth_mbs * 1024 * 1024 / 1_000_000_000
    if intensity >= machine.balance:
        bottleneck = "compute"
    else:
        bottleneck = "memory"
    return {
        "gflops_per_second": gflops,
        "memory_bandwidth_mbs": moved_bytes / seconds / 1024 / 1024,
        "arithmetic_intensity": intensity,
        ### EQUIVALENT 8c76aa73 by roofs: at the ridge the two are equal
        "attainable_gflops_per_second": slope if slope < machine.gflops else machine.gflops,
        "computational_efficiency": gflops / machine.gflops,
        "bottleneck": bottleneck,
    }

# %% weight_distribution
def weight_distribution(parameters, percentiles):
    flat = []
    for tensor in parameters:
        if tensor.data.ndim > 1:
            flat.extend(abs(float(number)) for number in tensor.data.flatten())
    if not flat:
        raise ValueError("no weights")
    answer = {"total_weights": len(flat), "mean": sum(flat) / len(flat), "min": min(flat), "max": max(flat)}
    ### EQUIVALENT 963db4e6 by weights: a square has no sign
    answer["std"] = (sum((number - answer["mean"]) ** 2 for number in flat) / len(flat)) ** 0.5
    for percent in percentiles:
        answer["percentile_" + str(percent)] = np.percentile(flat, percent)
    for threshold in (0.001, 0.01, 0.1):
        name = "below_threshold_" + str(threshold).replace(".", "")
        answer[name] = 100 * len([number for number in flat if number < threshold]) / len(flat)
    return answer
