"""Inputs by which a mutant that is marked as equivalent is compared with the solution that it was made of.

Each draws from `rng`, and returns what the notebook's functions make of it (book/how-to/mutation.md). Which subclass of
ValueError is raised is not asked.
"""

import numpy as np

KILOBYTES = 2**10


def parameters(rng, notebook):
    """Which tensors are listed, in which order; any iterable of them will do."""
    pool = [notebook.Tensor(np.ones((1, size))) for size in range(1, 9)]

    def layer(depth):
        kind = rng.integers(5)
        chosen = [pool[at] for at in rng.integers(0, 8, size=rng.integers(0, 3))]
        if kind == 0:
            return notebook.SimpleNamespace(parameters=lambda: list(chosen))
        if kind == 1:
            return notebook.ReLU()
        if kind == 2 and depth:
            return notebook.SimpleNamespace(layers=[layer(depth - 1) for _ in range(rng.integers(0, 4))])
        held = {name: pool[rng.integers(8)] for name in ("weight", "bias") if rng.random() < 0.7}
        return notebook.SimpleNamespace(**held)

    listed = notebook.model_parameters(layer(3))
    return [next(at for at, tensor in enumerate(pool) if tensor is each) for each in listed]


def counts(rng, notebook):
    shape = tuple(int(length) for length in rng.integers(1, 200, size=rng.integers(1, 5)))
    output = tuple(int(length) for length in rng.integers(1, 200, size=4))
    width, channels, *window = (int(length) for length in rng.integers(1, 100, size=4))
    heads, part, batch, tokens = (int(length) for length in rng.integers(1, 100, size=4))
    return (
        int(notebook.linear_flops(shape, width)),
        int(notebook.conv2d_flops(output, channels, tuple(window))),
        int(notebook.attention_flops(batch, tokens, heads * part, heads)),
    )


def places(rng, notebook):
    ranges = ((1, 40), (1, 8), (1, 5), (0, 4))
    size, window, stride, padding = (tuple(int(n) for n in rng.integers(*ends, size=2)) for ends in ranges)
    try:
        return notebook.window_places(size, window, stride, padding)
    except ValueError:
        return "ValueError"


def costs(rng, notebook):
    makers = (
        notebook.ReLU, notebook.Flatten, notebook.Dropout, notebook.Softmax, lambda: notebook.LayerNorm(3), object,
    )  # fmt: skip

    def model(depth):
        if depth and rng.random() < 0.5:
            return notebook.SimpleNamespace(layers=[model(depth - 1) for _ in range(rng.integers(0, 4))])
        return makers[rng.choice(6, p=[0.25, 0.2, 0.2, 0.15, 0.15, 0.05])]()

    try:
        return notebook.layer_cost(model(3), (2, 5, 3))
    except TypeError as error:
        return "TypeError", "object" in str(error)


def runs(rng, notebook):
    warmup, iterations = int(rng.integers(-1, 4)), int(rng.integers(-1, 5))
    clock = notebook.HandClock()
    durations = []

    def run():
        durations.append(float(rng.uniform(0, 9)))
        clock.advance(durations[-1])

    try:
        first = notebook.run_times(run, warmup, iterations, clock)
        second = notebook.run_times(run, 0, 2, clock)
    except ValueError:
        return "ValueError", durations
    return [float(ms) for ms in first], [float(ms) for ms in second], durations


def times(rng, notebook):
    count = int(rng.integers(0, 12))
    drawn = (
        rng.integers(0, 20, size=count).tolist(),
        (rng.integers(0, 40, size=count) / 8).tolist(),
        rng.lognormal(size=count).tolist(),
        rng.lognormal(size=count),
    )[rng.integers(4)]
    try:
        return notebook.summarize_times(drawn)
    except ValueError:
        return "ValueError"


def memory(rng, notebook):
    """In 64 kB: a few hundred bytes are those of Python's own objects."""
    first, second, result = (int(number) * 128 * KILOBYTES for number in rng.integers(1, 20, size=3))

    def run():
        scratch = [np.zeros(first, np.uint8), np.zeros(second, np.uint8)]
        if rng.random() < 0.5:
            del scratch[0]
        return np.zeros(result, np.uint8)

    with notebook.tracing():
        standing = np.zeros(first, np.uint8)
        higher = np.zeros(20 * 128 * KILOBYTES, np.uint8)
        del higher
        answer = notebook.observed_memory(run)
        del standing
    return [round(int(number) / (64 * KILOBYTES)) for number in answer]


def steps(rng, notebook):
    clock, rounds = notebook.HandClock(), int(rng.integers(1, 6))
    forward, backward = (rng.uniform(1, 9, size=rounds).tolist() for _ in range(2))
    step = notebook.RehearsedStep(clock, forward, backward, late_ms=100.0)
    return [float(ms) for ms in notebook.time_steps(step, rounds, clock)], step.rounds


def roofs(rng, notebook):
    if rng.random() < 0.3:  # exactly at the ridge, without any rounding
        power = int(rng.integers(1, 20))
        flops, moved, gflops, bandwidth = 15625 * power * 64, 64, 2.0**13 * power, 500.0
    else:
        flops, moved = (int(10 ** rng.uniform(0, 9)) * int(rng.random() < 0.9) for _ in range(2))
        gflops, bandwidth = float(10 ** rng.uniform(0, 3)), float(10 ** rng.uniform(2, 5))
    machine = notebook.Machine(gflops=gflops, bandwidth_mbs=bandwidth)
    placed = notebook.roofline(flops, moved, float(10 ** rng.uniform(-3, 3)), machine)
    return {name: str(value) if name == "bottleneck" else float(value) for name, value in placed.items()}


def _distribution(rng, notebook, tensors):
    chosen = [int(percent) for percent in rng.choice([0, 25, 50, 75, 100], size=rng.integers(0, 4), replace=False)]
    try:
        return notebook.weight_distribution(tensors, chosen)
    except ValueError:
        return "ValueError"


def weights(rng, notebook):
    tensors = []
    for _ in range(rng.integers(0, 4)):
        shape = tuple(rng.integers(0 if rng.random() < 0.2 else 1, 5, size=rng.integers(1, 4)))
        if rng.random() < 0.3:
            tensors.append(notebook.Tensor(rng.integers(-128, 128, size=shape).astype(np.int8)))
        else:
            tensors.append(notebook.Tensor(rng.normal(size=shape) * 10.0 ** rng.integers(-4, 1)))
    return _distribution(rng, notebook, tensors)


def coarse_weights(rng, notebook):
    """To three digits, of weights that have no more: what float32 says of a model's weights."""
    count = int(2 ** rng.integers(0, 4))
    tensors = [notebook.Tensor(rng.integers(-64, 65, size=(1, count)) / 64)]
    if rng.random() < 0.3:
        tensors = [notebook.Tensor(rng.integers(-128, 128, size=(count, 1)).astype(np.int8))]
    figures = _distribution(rng, notebook, tensors)
    return {name: round(float(figure), 3) for name, figure in sorted(figures.items())}
