# ---
# title: Classes, generators, own exceptions, the standard library's statistics
# kind: correct
# base: reference
# lost: []
# ---

# %% model_parameters
from itertools import chain


def _walk(model):
    own = []
    method = getattr(model, "parameters", None)
    if method is not None:
        own = [*method()]
    if not own:
        own = [*chain.from_iterable(_walk(layer) for layer in (getattr(model, "layers", None) or ()))]
    yield from own or (t for t in (getattr(model, "weight", None), getattr(model, "bias", None)) if type(t) is Tensor)


def model_parameters(model):
    seen, result = set(), []
    for tensor in _walk(model):
        if id(tensor) not in seen:
            seen.add(id(tensor))
            result.append(tensor)
    return result

# %% linear_flops
import math


class Product:
    """rows x inner times inner x columns."""

    def __init__(self, rows, inner, columns):
        self.rows, self.inner, self.columns = rows, inner, columns

    @property
    def flops(self):
        return 2 * self.rows * self.inner * self.columns


def linear_flops(input_shape, out_features):
    *front, inner = input_shape
    ### EQUIVALENT c0ae4ab8 by counts: a product has no order
    ### EQUIVALENT 87f12f5c by counts: a product has no order
    return Product(math.prod(front), inner, out_features).flops

# %% window_places
class WindowTooLarge(ValueError):
    pass


def window_places(size, window, stride, padding):
    def along(length, window, stride, padding):
        last = length + 2 * padding - window
        if last < 0:
            raise WindowTooLarge()
        return len(range(0, last + 1, stride))

    return tuple(along(*axis) for axis in zip(size, window, stride, padding))

# %% conv2d_flops
def conv2d_flops(output_shape, in_channels, window):
    n, channels, height, width = output_shape
    ### EQUIVALENT 507096ee by counts: a product has no order
    ### EQUIVALENT 6f738226 by counts: a product has no order
    return Product(n * height * width, in_channels * math.prod(window), channels).flops

# %% attention_flops
def attention_flops(batch, tokens, width, heads):
    ### EQUIVALENT c88217d9 by counts: a product has no order
    ### EQUIVALENT 91ddf724 by counts: a product has no order
    scores = Product(tokens, width // heads, tokens)
    ### EQUIVALENT fb82c38c by counts: a product has no order
    values = Product(tokens, tokens, width // heads)
    return batch * heads * (scores.flops + tokens**2 + values.flops)

# %% layer_cost
class Uncounted(TypeError):
    def __init__(self, layer):
        super().__init__(f"{layer.__class__.__name__}: nobody has said how to count it")


def _leaves(model):
    inside = parts_of(model)
    if inside is None:
        yield model
    else:
        for part in inside:
            yield from _leaves(part)


def layer_cost(model, input_shape):
    flops = traffic = 0
    for leaf in _leaves(model):
        rule = rule_of(leaf)
        if not rule:
            raise Uncounted(leaf)
        cost = rule(leaf, input_shape)
        flops, traffic, input_shape = flops + cost.flops, traffic + cost.traffic, cost.output_shape
    return Cost(flops=flops, traffic=traffic, output_shape=input_shape)

# %% run_times
from contextlib import contextmanager


class NotTimeable(ValueError):
    pass


@contextmanager
def stopwatch(clock, into):
    start = clock()
    yield
    into.append(clock() - start)


def run_times(run, warmup, iterations, clock=now_ms):
    if min(warmup, iterations - 1) < 0:
        raise NotTimeable("give iterations >= 1, warmup >= 0")
    times = []
    for _ in range(warmup):
        run()
    for _ in range(iterations):
        with stopwatch(clock, times):
            run()
    return times

# %% summarize_times
import statistics


class Summary(dict):
    pass


def summarize_times(times):
    times = [*times]
    ### EQUIVALENT 4160fabc by times: the median of nothing is a ValueError
    ### EQUIVALENT 18a7c018 by times: the median of nothing is a ValueError
    if len(times) < 1:
        ### EQUIVALENT 780f4e78 by times: the median of nothing is a ValueError
        raise ValueError
    median = statistics.median(times)
    ### EQUIVALENT 1f5750e4 by times: the distance of two numbers has no direction
    spread = statistics.median(abs(t - median) for t in times)
    return Summary(
        runs=len(times), median_ms=median, spread_ms=spread,
        ### EQUIVALENT 8a456a3d by times: both bounds are equally far
        outliers=sum(not -5 * spread <= t - median <= 5 * spread for t in times),
    )

# %% observed_memory
from typing import NamedTuple


class Bytes(NamedTuple):
    peak: int
    retained: int


def observed_memory(run):
    with tracing():
        tracemalloc.reset_peak()
        at_first, _ = tracemalloc.get_traced_memory()
        result = run()
        at_last, at_most = tracemalloc.get_traced_memory()
        return Bytes(at_most - at_first, at_last - at_first)

# %% time_steps
def time_steps(step, rounds, clock=now_ms):
    forward, backward = [], []
    for _ in range(rounds):
        step.forget()
        with stopwatch(clock, forward):
            end = step.forward()
        with stopwatch(clock, backward):
            step.backward(end)
    return statistics.median(forward), statistics.median(backward)

# %% roofline
class Roof:
    def __init__(self, machine):
        self.top, self.slope = machine.gflops, machine.bandwidth_mbs * MB * 1e-9
        self.ridge = machine.balance

    def at(self, intensity):
        return min(self.top, self.slope * intensity)


def roofline(flops, moved_bytes, latency_ms, machine):
    roof, intensity = Roof(machine), flops / max(1, moved_bytes)
    per_second = 1000 / latency_ms
    return {
        "bottleneck": "compute" if intensity >= roof.ridge else "memory",
        "computational_efficiency": flops * per_second * 1e-9 / roof.top,
        "attainable_gflops_per_second": roof.at(intensity),
        "arithmetic_intensity": intensity,
        "memory_bandwidth_mbs": moved_bytes * per_second / MB,
        "gflops_per_second": flops * per_second * 1e-9,
    }

# %% weight_distribution
def weight_distribution(parameters, percentiles):
    matrices = filter(lambda tensor: len(tensor.shape) > 1, parameters)
    ### EQUIVALENT e3976ebb by weights: fabs makes a float of whatever it is
    weights = [math.fabs(w) for tensor in matrices for w in tensor.numpy().astype(float).ravel()]
    if not weights:
        ### EQUIVALENT 89326f8e by weights: the mean of nothing is a ValueError
        raise NotTimeable("no weights")
    result = {
        "total_weights": len(weights), "mean": statistics.fmean(weights), "std": statistics.pstdev(weights),
        "min": min(weights), "max": max(weights),
    }
    for p in percentiles:
        result[f"percentile_{p}"] = float(np.quantile(weights, p / 100))
    for limit, name in {0.001: "0001", 0.01: "001", 0.1: "01"}.items():
        result[f"below_threshold_{name}"] = 100 * sum(w < limit for w in weights) / len(weights)
    return result
