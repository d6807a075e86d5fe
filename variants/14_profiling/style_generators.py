# ---
# title: Generator functions that yield one figure after the other
# kind: correct
# base: reference
# lost: []
# ---

# %% model_parameters
def tensors_of(model):
    any_yet = False
    for tensor in getattr(model, "parameters", tuple)():
        any_yet = True
        yield tensor
    if not any_yet:
        for layer in getattr(model, "layers", ()):
            for tensor in tensors_of(layer):
                any_yet = True
                yield tensor
    if not any_yet:
        yield from (t for t in map(lambda name: getattr(model, name, None), ["weight", "bias"]) if isinstance(t, Tensor))


def model_parameters(model):
    result = []
    for tensor in tensors_of(model):
        if all(tensor is not other for other in result):
            result.append(tensor)
    return result

# %% run_times
def durations(run, clock):
    while True:
        start = clock()
        run()
        yield clock() - start


def run_times(run, warmup, iterations, clock=now_ms):
    if iterations < 1 or warmup < 0:
        raise ValueError("not so")
    stream = durations(run, clock)
    for _ in range(warmup):
        next(stream)
    return [next(stream) for _ in range(iterations)]
