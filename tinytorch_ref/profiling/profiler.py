# module: 14_profiling
"""Profiling: Count what a model must do, watch what it does, and find out what holds it back on this machine.

Exported from source/14_profiling.py; change that, then run `tito export 14`.
"""

import tracemalloc
from collections.abc import Iterable, Sequence
from functools import cached_property
from math import prod
from typing import Any

import numpy as np

from ..core.tensor import Shape, Tensor
from ..profiling.costs import (
    BACKWARD_FLOPS_PER_FORWARD,
    Cost,
    between,
    cost_rule,
    pair,
    parts_of,
    rule_of,
)
from ..profiling.machine import MB, Machine, measure_machine
from ..profiling.runs import (
    Clock,
    LossFunction,
    TrainingStep,
    Work,
    brief_iterations,
    clock_step_ms,
    collector_paused,
    forward_run,
    now_ms,
    tracing,
)


def model_parameters(model: Any) -> list[Tensor]:
    """The tensors that a model has learned, each once, in any order.

    Args:
        model: a layer, a model with `parameters()` or a list `layers`, or any object at all.

    Returns:
        list of Tensors; empty for a model that learns nothing.

    >>> shared = Tensor([[1, 2], [3, 4]])
    >>> layer = type("Layer", (), {"weight": shared, "bias": None})
    >>> len(model_parameters(type("Model", (), {"layers": [layer(), layer()]})()))
    1

    Hints:
        1. A function that calls itself for the layers inside keeps this short.
        2. What tells two tensors apart that hold the same numbers? Not `==`.
    """
    listed = list(model.parameters()) if hasattr(model, "parameters") else []
    if not listed:
        listed = [tensor for layer in getattr(model, "layers", ()) for tensor in model_parameters(layer)]
    if not listed:
        own = (getattr(model, name, None) for name in ("weight", "bias"))
        listed = [tensor for tensor in own if isinstance(tensor, Tensor)]
    return list({id(tensor): tensor for tensor in listed}.values())


def linear_flops(input_shape: Shape, out_features: int) -> int:
    """Operations of a linear layer for one input.

    Args:
        input_shape: (..., in_features), with any number of axes in front.
        out_features: numbers that come out for each vector.

    Returns:
        int: 2 for each multiply-add; no bias.

    >>> linear_flops((1, 3), 2)
    12

    Hints:
        1. How many vectors are there in an input of shape (8, 20, 64)?
        2. How many sums does one vector need, and how many products are in each?
    """
    return 2 * prod(input_shape) * out_features


def window_places(
    size: tuple[int, int], window: tuple[int, int], stride: tuple[int, int], padding: tuple[int, int]
) -> tuple[int, int]:
    """How many places a window takes on an image: (down, across). This is the size of the output.

    Args:
        size: (height, width) of the image.
        window: (height, width) of the window.
        stride: (down, across), by how much it moves.
        padding: (rows, columns) of zeros at each end.

    Raises:
        ValueError: the window is larger than the padded image.

    >>> window_places((7, 9), (3, 3), (2, 1), (0, 1))
    (3, 9)

    Hints:
        1. Write it for one axis first.
        2. How far can the window move from where it starts? How many steps of `stride` fit into that?
    """
    room = [size[axis] + 2 * padding[axis] - window[axis] for axis in (0, 1)]
    if min(room) < 0:
        raise ValueError(f"a window of {window} with padding {padding} does not fit into {size}")
    return room[0] // stride[0] + 1, room[1] // stride[1] + 1


def conv2d_flops(output_shape: Shape, in_channels: int, window: tuple[int, int]) -> int:
    """Operations of a convolution.

    Args:
        output_shape: (images, output channels, height, width) of what comes out.
        in_channels: channels of what goes in.
        window: (height, width) of the kernel.

    Returns:
        int: 2 for each multiply-add, the padding's zeros included; no bias.

    >>> conv2d_flops((1, 1, 2, 2), 1, (3, 3))
    72

    Hints:
        1. How many numbers come out? Each is a sum.
        2. Which axes of the input does one sum run over?
    """
    terms = in_channels * window[0] * window[1]
    return 2 * prod(output_shape) * terms


def attention_flops(batch: int, tokens: int, width: int, heads: int) -> int:
    """Operations of attention between its projections: scores, softmax, weighted values.

    Args:
        batch: sequences.
        tokens: of each sequence; every one looks at every one.
        width: of a token's vector, all heads together.
        heads: into which the width is divided.

    Returns:
        int: 2 for each multiply-add, 1 for each element that softmax takes.

    >>> attention_flops(1, 2, 4, 1)
    68

    Hints:
        1. What shape have all scores of one sequence, all heads together?
        2. What does the number of heads change, and what does it not change?
    """
    scores = heads * tokens * tokens
    multiply_adds = scores * (width // heads) + tokens * width * tokens
    return batch * (2 * multiply_adds + scores)


@cost_rule("Linear")
def _linear(layer: Any, shape: Shape) -> Cost:
    rows, columns = layer.weight.shape
    if shape[-1:] != (rows,):
        raise ValueError(f"Linear({rows}, {columns}): expected an input of shape (..., {rows}), got {shape}")
    return between(shape, (*shape[:-1], columns), linear_flops(shape, columns))


@cost_rule("Conv2d")
def _conv2d(layer: Any, shape: Shape) -> Cost:
    out_channels, in_channels, *kernel = layer.weight.shape
    output_shape = _slid(layer, shape, pair(kernel), out_channels)
    if shape[1] != in_channels:
        raise ValueError(f"Conv2d: expected {in_channels} channels, got an input of shape {shape}")
    return between(shape, output_shape, conv2d_flops(output_shape, in_channels, pair(kernel)))


@cost_rule("MaxPool2d", "AvgPool2d")
def _pool2d(layer: Any, shape: Shape) -> Cost:
    """1 operation for each element of each window."""
    output_shape = _slid(layer, shape, pair(layer.kernel_size), None)
    return between(shape, output_shape, prod(output_shape) * prod(pair(layer.kernel_size)))


def _slid(layer: Any, shape: Shape, window: tuple[int, int], channels: int | None) -> Shape:
    """Shape of what a window gives that slides over (N, C, H, W); the channels stay where None are named."""
    if len(shape) != 4:
        raise ValueError(f"{type(layer).__name__}: expected an input of shape (N, C, H, W), got {shape}")
    stride = pair(layer.stride if getattr(layer, "stride", None) is not None else window)
    height, width = window_places((shape[2], shape[3]), window, stride, pair(getattr(layer, "padding", 0)))
    return (shape[0], shape[1] if channels is None else channels, height, width)


@cost_rule("MultiHeadAttention")
def _attention(layer: Any, shape: Shape) -> Cost:
    """Four projections, and what lies between them; the input is (..., tokens, embed_dim)."""
    if len(shape) < 2:
        raise ValueError(f"MultiHeadAttention: expected (..., tokens, embed_dim), got an input of shape {shape}")
    projections = [layer_cost(projection, shape) for projection in (layer.q_proj, layer.k_proj, layer.v_proj)]
    inner = projections[0].output_shape
    projections.append(layer_cost(layer.out_proj, inner))
    batch, heads = prod(shape[:-2]), layer.num_heads
    # Q and K in, scores out; scores in and out; scores and V in, the heads' output out
    traffic = 4 * prod(inner) + 4 * batch * heads * shape[-2] ** 2
    return Cost(
        sum(cost.flops for cost in projections) + attention_flops(batch, shape[-2], inner[-1], heads),
        sum(cost.traffic for cost in projections) + traffic,
        projections[-1].output_shape,
    )


def layer_cost(model: Any, input_shape: Shape) -> Cost:
    """The cost of a layer or a model for one input of `input_shape`, the batch included.

    Args:
        model: a layer that a rule knows, or a model of such layers.
        input_shape: of the input, the batch first.

    Returns:
        Cost(flops, traffic, output_shape). Of a model: the flops of its layers together, their traffic together, and
        the shape that comes out at its end. A model without layers hands its input on: Cost(0, 0, input_shape).

    Raises:
        TypeError: no rule knows a layer. The message names the layer's class.

    >>> relu = type("ReLU", (), {})()
    >>> layer_cost(type("Twice", (), {"layers": [relu, relu]})(), (2, 5))
    Cost(flops=20, traffic=40, output_shape=(2, 5))

    Hints:
        1. First ask for the parts. What does the answer None mean?
        2. `type(layer).__name__` is the name of a layer's class.
    """
    parts = parts_of(model)
    if parts is None:
        rule = rule_of(model)
        if rule is None:
            name = type(model).__name__
            raise TypeError(
                f"no rule to count the operations of {name}: keep its layers in a list .layers, "
                f'or teach one with @cost_rule("{name}")'
            )
        return rule(model, input_shape)
    flops, traffic, shape = 0, 0, input_shape
    for part in parts:
        cost = layer_cost(part, shape)
        flops, traffic, shape = flops + cost.flops, traffic + cost.traffic, cost.output_shape
    return Cost(flops, traffic, shape)


def run_times(run: Work, warmup: int, iterations: int, clock: Clock = now_ms) -> list[float]:
    """How long each of several runs takes.

    Args:
        run: a function without arguments.
        warmup: runs before the first that is timed; 0 or more.
        iterations: runs that are timed; 1 or more.
        clock: a function that gives the time in milliseconds.

    Returns:
        list of `iterations` floats, milliseconds, in the order in which the runs were made.

    Raises:
        ValueError: there is nothing to time, or `warmup` is negative.
        what `run` raises.

    >>> readings = iter([0.0, 2.0, 10.0, 15.0])
    >>> run_times(lambda: None, warmup=3, iterations=2, clock=lambda: next(readings))
    [2.0, 5.0]

    Hints:
        1. What must be refused before anything is run?
        2. What lies between the two readings of the clock, and what must not?
    """
    if iterations < 1 or warmup < 0:
        raise ValueError(f"needs iterations >= 1 and warmup >= 0, got {iterations} and {warmup}")
    for _ in range(warmup):
        run()
    times = []
    for _ in range(iterations):
        start = clock()
        run()
        times.append(clock() - start)
    return times


def summarize_times(times: Sequence[float]) -> dict[str, float]:
    """What several times of one thing come to.

    Args:
        times: milliseconds, at least one, in any order. They are not changed.

    Returns:
        median_ms; spread_ms, the median distance from the median; outliers, how many are farther from the median
        than 5 times the spread; runs, how many there are.

    Raises:
        ValueError: there are no times.

    >>> summarize_times([3.0, 1.0, 2.0, 90.0, 2.5])
    {'median_ms': 2.5, 'spread_ms': 0.5, 'outliers': 1, 'runs': 5}

    Hints:
        1. numpy has a function for the median.
        2. A distance has no sign.
    """
    if len(times) == 0:
        raise ValueError("no times, so there is nothing to summarize")
    taken = np.array(times, dtype=np.float64)
    median = np.median(taken)
    distances = np.abs(taken - median)
    spread = np.median(distances)
    return {
        "median_ms": float(median),
        "spread_ms": float(spread),
        "outliers": int(np.sum(distances > 5 * spread)),
        "runs": len(taken),
    }


def observed_memory(run: Work) -> tuple[int, int]:
    """Bytes that a run allocates, observed while it runs.

    Args:
        run: a function without arguments. It is run once.

    Returns:
        (peak, retained): the most that the run had allocated at any moment, and what is still there at its end, with
        its result; both beyond what there was before it.

    Raises:
        what `run` raises.

    >>> peak, retained = observed_memory(lambda: np.zeros(10**6, np.int8)[:10].copy())
    >>> peak // 10**6, retained // 10**6
    (1, 0)

    Hints:
        1. Read once before the run and once after it.
        2. What must happen to the peak between the first reading and the run?
    """
    with tracing():
        before, _ = tracemalloc.get_traced_memory()
        tracemalloc.reset_peak()
        result = run()
        after, peak = tracemalloc.get_traced_memory()
        del result
    return peak - before, after - before


def time_steps(step: TrainingStep, rounds: int, clock: Clock = now_ms) -> tuple[float, float]:
    """Median times of the forward and of the backward pass of a training step.

    Args:
        step: has `forget()`, `forward()` and `backward(end)`.
        rounds: how often to make it; 1 or more.
        clock: a function that gives the time in milliseconds.

    Returns:
        (forward_ms, backward_ms). `forget` is in neither.

    Raises:
        what the step raises.

    >>> weight = Tensor([2.0], requires_grad=True)
    >>> with TrainingStep(lambda x: x * weight, Tensor([1.0]), [weight]) as step:
    ...     readings = iter([0.0, 1.0, 1.0, 4.0])
    ...     time_steps(step, rounds=1, clock=lambda: next(readings))
    (1.0, 3.0)

    Hints:
        1. What does a round have to begin with, so that all rounds are the same work?
        2. How many readings of the clock does a round need? Three can do, four as well.
    """
    forward_times, backward_times = [], []
    for _ in range(rounds):
        step.forget()
        start = clock()
        end = step.forward()
        forward_times.append(clock() - start)
        start = clock()
        step.backward(end)
        backward_times.append(clock() - start)
    return float(np.median(forward_times)), float(np.median(backward_times))


def roofline(flops: int, moved_bytes: int, latency_ms: float, machine: Machine) -> dict[str, Any]:
    """Where a program lies under the roof of a machine.

    Args:
        flops, moved_bytes: what the program does, counted.
        latency_ms: what it took, measured.
        machine: has `gflops`, `bandwidth_mbs` and `balance`.

    Returns:
        gflops_per_second: operations that were made, in 10**9 per second;
        memory_bandwidth_mbs: bytes that were moved, in MB per second;
        arithmetic_intensity: operations for each byte;
        attainable_gflops_per_second: what the roof allows at this intensity;
        computational_efficiency: gflops_per_second as a fraction of the machine's peak;
        bottleneck: "memory" or "compute".

    >>> under = roofline(4_000_000, 2**20, 2.0, Machine(gflops=8.0, bandwidth_mbs=1000.0))
    >>> under["gflops_per_second"], under["memory_bandwidth_mbs"], under["bottleneck"]
    (2.0, 500.0, 'memory')

    Hints:
        1. Two of the six figures need the time; the intensity does not.
        2. bandwidth_mbs · MB bytes per second, times operations for each byte: what unit is that?
    """
    intensity = flops / max(moved_bytes, 1)
    rate = flops / (latency_ms / 1e3) / 1e9
    return {
        "gflops_per_second": rate,
        "memory_bandwidth_mbs": moved_bytes / MB / (latency_ms / 1e3),
        "arithmetic_intensity": intensity,
        "attainable_gflops_per_second": min(machine.gflops, intensity * machine.bandwidth_mbs * MB / 1e9),
        "computational_efficiency": rate / machine.gflops,
        "bottleneck": "memory" if intensity < machine.balance else "compute",
    }


def weight_distribution(parameters: Iterable[Tensor], percentiles: Iterable[float]) -> dict[str, float]:
    """How large weights are, in magnitude.

    Args:
        parameters: Tensors; those of fewer than two axes are left out. They are not changed.
        percentiles: from 0 to 100.

    Returns:
        total_weights; mean, std, min, max of the magnitudes; percentile_<p> for each p;
        below_threshold_0001, below_threshold_001, below_threshold_01: how many *percent* of the magnitudes are below
        0.001, 0.01 and 0.1.

    Raises:
        ValueError: there are no weights.

    >>> weight_distribution([Tensor([[0.5, -0.05], [0.005, 0]])], [100])["below_threshold_01"]
    75.0

    Hints:
        1. Gather all magnitudes in one array of floats first.
        2. What is the mean of an array of truth values?
    """
    weights = [tensor.data.ravel().astype(np.float64) for tensor in parameters if len(tensor.shape) >= 2]
    if not sum(weight.size for weight in weights):
        raise ValueError("no weights to analyse: no tensor has two axes or more")
    magnitudes = np.abs(np.concatenate(weights))
    distribution: dict[str, float] = {"total_weights": magnitudes.size}
    for name in ("mean", "std", "min", "max"):
        distribution[name] = float(getattr(magnitudes, name)())
    for percent in percentiles:
        distribution[f"percentile_{percent}"] = float(np.percentile(magnitudes, percent))
    for name, threshold in (("0001", 0.001), ("001", 0.01), ("01", 0.1)):
        distribution[f"below_threshold_{name}"] = float(100 * np.mean(magnitudes < threshold))
    return distribution


_TAKES_IDS = {"Embedding", "EmbeddingLayer", "GPT", "TinyGPT"}

# Arrays of a parameter's size that an optimizer of module 06 keeps for each: Adam's are m and v.
_OPTIMIZER_ARRAYS = {"sgd": 0, "adam": 2, "adamw": 2}


def _step_times_ms(step: TrainingStep) -> tuple[float, float]:
    """Of the forward and of the backward pass, in milliseconds; where the clock sees none, one step of the clock."""
    rounds = brief_iterations(sum(time_steps(step, 1)))
    with collector_paused():
        forward_ms, backward_ms = time_steps(step, rounds)
    return forward_ms or clock_step_ms(), backward_ms or clock_step_ms()


def _step_peaks(step: TrainingStep) -> tuple[int, int]:
    """The most bytes that the recorded forward pass had allocated at once, and that both passes had."""
    step.forget()
    forward_peak, _ = observed_memory(step.forward)
    step.forget()
    peak, _ = observed_memory(step.run)
    return forward_peak, peak


class Profiler:
    """Counts and measures models.

    A model is anything with `forward`, or a function of one tensor. It runs as when it is used: a model with a training
    mode is told that it does not train, and nothing is recorded for gradients unless it is they that are profiled. An
    error inside the model is raised, never timed. Megabytes are 2**20 bytes; batches are counted, not divided out.

    >>> from ..core.activations import ReLU
    >>> from ..core.layers import Linear, Sequential
    >>> model = Sequential(Linear(64, 32), ReLU(), Linear(32, 10))
    >>> profiler = Profiler()
    >>> profiler.count_parameters(model), profiler.count_flops(model, (8, 64))
    (2410, 38144)
    >>> profiler.measure_memory(model, (8, 64))["parameter_memory_mb"] == 4 * 2410 / 2**20
    True
    """

    @cached_property
    def machine(self) -> Machine:
        """Peaks of this machine, measured when first asked for and kept."""
        return measure_machine()

    def count_parameters(self, model: Any) -> int:
        """Number of learned values; a tensor that two layers share counts once."""
        return sum(tensor.size for tensor in model_parameters(model))

    def count_flops(self, model: Any, input_shape: Shape) -> int:
        """Operations of one forward pass on `input_shape`, batch included; `costs` has the whole convention.

        Raises:
            TypeError: the model holds a layer that nobody has said how to count.
            ValueError: the shape does not suit the model.
        """
        return layer_cost(model, _checked_shape(input_shape)).flops

    def measure_memory(self, model: Any, input_shape: Shape) -> dict[str, float]:
        """Memory of one forward pass, observed while it runs on a sample input of `input_shape`.

        Returns:
            parameter_memory_mb: what the parameters take in their own dtype (int8 is one byte each).
            activation_memory_mb: the most that the pass had allocated at once: outputs of layers, what they
                keep, scratch arrays, and some kB of Python objects.
            peak_memory_mb: parameters + input + activations.
            memory_efficiency: the share of that peak which is still in use when the pass is over, 0 to 1. The
                rest was scratch.
        """
        return self._memory(model, _sample_input(model, _checked_shape(input_shape)))

    def measure_latency(self, model: Any, input_tensor: Tensor, warmup: int = 10, iterations: int = 100) -> float:
        """Median time of one forward pass in ms, over `iterations` passes after `warmup` untimed ones.

        Raises:
            TypeError: the model can neither be called nor has it a `forward`.
            ValueError: `iterations` is less than 1, or `warmup` less than 0.
            what the model raises.
        """
        return self.latency_statistics(model, input_tensor, warmup, iterations)["median_ms"]

    def latency_statistics(
        self, model: Any, input_tensor: Tensor, warmup: int = 10, iterations: int = 100
    ) -> dict[str, float]:
        """Median, spread and outliers of the time of one forward pass; see `summarize_times`.

        The garbage collector waits meanwhile, as in `timeit`.
        """
        with collector_paused():
            return summarize_times(run_times(forward_run(model, input_tensor), warmup, iterations))

    def profile_layer(self, layer: Any, input_shape: Shape) -> dict[str, Any]:
        """One layer on a sample input: counts, memory, time.

        Returns:
            layer_type (class name), parameters, flops, latency_ms, gflops_per_second (10**9 operations per
            second), and the keys of `measure_memory`.
        """
        sample = _sample_input(layer, _checked_shape(input_shape))
        cost = layer_cost(layer, sample.shape)
        latency_ms = self._brief_latency(layer, sample)
        return {
            "layer_type": type(layer).__name__,
            "parameters": self.count_parameters(layer),
            "flops": cost.flops,
            "latency_ms": latency_ms,
            "gflops_per_second": self._under_the_roof(layer, cost, latency_ms)["gflops_per_second"],
            **self._memory(layer, sample),
        }

    def profile_forward_pass(self, model: Any, input_tensor: Tensor) -> dict[str, Any]:
        """A forward pass, and what holds it back on this machine.

        The bytes moved are those of a model that reads every parameter once and in which each layer reads its
        input and writes its output once. Operations per byte, set against the machine's balance, say whether memory or
        arithmetic is the limit at best.

        Returns:
            parameters, flops, latency_ms, the keys of `measure_memory` and those of `roofline`;
            machine_balance, machine_gflops_per_second, machine_bandwidth_mbs: the machine's;
            is_memory_bound, is_compute_bound: one or the other.
        """
        cost = layer_cost(model, _checked_shape(input_tensor.shape))
        latency_ms = self._brief_latency(model, input_tensor)
        placed = self._under_the_roof(model, cost, latency_ms)
        return {
            "parameters": self.count_parameters(model),
            "flops": cost.flops,
            "latency_ms": latency_ms,
            **self._memory(model, input_tensor),
            **placed,
            "machine_balance": self.machine.balance,
            "machine_gflops_per_second": self.machine.gflops,
            "machine_bandwidth_mbs": self.machine.bandwidth_mbs,
            "is_memory_bound": placed["bottleneck"] == "memory",
            "is_compute_bound": placed["bottleneck"] == "compute",
        }

    def profile_backward_pass(
        self, model: Any, input_tensor: Tensor, _loss_fn: LossFunction | None = None
    ) -> dict[str, Any]:
        """A forward and a backward pass, both run and observed.

        The backward pass counts 2 operations for each of the forward's: Y = X W has one matrix product, its gradients
        by X and by W two of the same size; layers without products go by the same rule, and frozen weights would save
        their part. Time and memory are measured. The model's own gradients are as before when all is over.

        Args:
            _loss_fn: a function from the output to a scalar Tensor, which is run with the forward pass and not
                counted; the sum of the output where None.

        Returns:
            forward_flops, backward_flops, total_flops: by `costs` and the rule above;
            forward_latency_ms, backward_latency_ms: medians, the forward pass recording what the backward needs;
            total_latency_ms: their sum; total_gflops_per_second: total_flops over it;
            forward_memory_mb: parameters + input + the most that the recorded forward pass had allocated at once;
            gradient_memory_mb: the bytes of the parameters' gradients;
            total_memory_mb: parameters + input + the most that both passes had allocated at once, gradients included;
            memory_efficiency: the share of that in parameters, input and gradients, 0 to 1; else kept or scratch;
            optimizer_memory_estimates: MB that "sgd" (without momentum), "adam" and "adamw" would keep from step to
                step for the parameters that are learned;
            bottleneck: that of `profile_forward_pass`: twice the operations on twice the bytes keep the intensity.

        Raises:
            RuntimeError: nothing here has a gradient, or recording is off (`no_grad`).
            TypeError: the model holds a layer that nobody has said how to count, or gives something but a Tensor.
            ValueError: `_loss_fn` gives no scalar.

        >>> from ..core.layers import Linear
        >>> profile = Profiler().profile_backward_pass(Linear(64, 32), Tensor(np.ones((8, 64))))
        >>> profile["forward_flops"], profile["backward_flops"], profile["gradient_memory_mb"] == 4 * 2080 / 2**20
        (32768, 65536, True)
        """
        cost = layer_cost(model, _checked_shape(input_tensor.shape))
        parameters = model_parameters(model)
        with TrainingStep(model, input_tensor, parameters, _loss_fn) as step:
            forward_ms, backward_ms = _step_times_ms(step)
            forward_peak, peak = _step_peaks(step)
            gradients = step.gradient_bytes()
        total_ms = forward_ms + backward_ms
        backward_flops = BACKWARD_FLOPS_PER_FORWARD * cost.flops
        whole = Cost(cost.flops + backward_flops, cost.traffic, cost.output_shape)
        standing = _nbytes(parameters) + input_tensor.nbytes
        return {
            "forward_flops": cost.flops,
            "forward_latency_ms": forward_ms,
            "backward_flops": backward_flops,
            "backward_latency_ms": backward_ms,
            "total_flops": whole.flops,
            "total_latency_ms": total_ms,
            "total_gflops_per_second": self._under_the_roof(model, whole, total_ms)["gflops_per_second"],
            "forward_memory_mb": (standing + forward_peak) / MB,
            "gradient_memory_mb": gradients / MB,
            "total_memory_mb": (standing + peak) / MB,
            "memory_efficiency": (standing + gradients) / max(standing + peak, 1),
            "optimizer_memory_estimates": _optimizer_memory_mb(parameters),
            "bottleneck": self._under_the_roof(model, cost, forward_ms)["bottleneck"],
        }

    def _under_the_roof(self, model: Any, cost: Cost, latency_ms: float) -> dict[str, Any]:
        moved_bytes = _nbytes(model_parameters(model)) + cost.traffic * np.dtype(np.float32).itemsize
        return roofline(cost.flops, moved_bytes, latency_ms, self.machine)

    def _memory(self, model: Any, input_tensor: Tensor) -> dict[str, float]:
        run = forward_run(model, input_tensor)
        run()  # what is set up once, on first use, is no activation
        activations, left = observed_memory(run)
        parameters = _nbytes(model_parameters(model))
        peak = parameters + input_tensor.nbytes + activations
        return {
            "parameter_memory_mb": parameters / MB,
            "activation_memory_mb": activations / MB,
            "peak_memory_mb": peak / MB,
            "memory_efficiency": (peak - activations + max(left, 0)) / max(peak, 1),
        }

    def _brief_latency(self, model: Any, input_tensor: Tensor) -> float:
        """Median latency in about half a second: from 3 passes of a slow model to 100 of a fast one. Where the clock
        sees none, one step of the clock."""
        first_ms = self.measure_latency(model, input_tensor, warmup=0, iterations=1)
        iterations = brief_iterations(first_ms)
        return self.measure_latency(model, input_tensor, warmup=1, iterations=iterations) or clock_step_ms()


def quick_profile(model: Any, input_tensor: Tensor, profiler: Profiler | None = None) -> dict[str, Any]:
    """Print a forward pass's profile as a short table, and return it (`Profiler.profile_forward_pass`).

    >>> from ..core.layers import Linear
    >>> profile = quick_profile(Linear(4, 2), Tensor(np.ones((1, 4))))  # doctest: +ELLIPSIS
    Parameters             10
    FLOPs                  16
    Latency ...
    >>> profile["flops"]
    16
    """
    profile = (profiler or Profiler()).profile_forward_pass(model, input_tensor)
    rows = (
        ("Parameters", f"{profile['parameters']:,}"),
        ("FLOPs", f"{profile['flops']:,}"),
        ("Latency", f"{profile['latency_ms']:.3f} ms"),
        ("Peak memory", f"{profile['peak_memory_mb']:.3f} MB"),
        ("Throughput", f"{profile['gflops_per_second']:.2f} GFLOP/s"),
        ("Efficiency", f"{profile['computational_efficiency']:.1%} of peak"),
        ("Bottleneck", profile["bottleneck"]),
    )
    for name, value in rows:
        print(f"{name:<12} {value:>12}")  # noqa: T201 (the table is what was asked for)
    return profile


def analyze_weight_distribution(model: Any, percentiles: Iterable[float] = (10, 25, 50, 75, 90)) -> dict[str, float]:
    """How large a model's weights are, in magnitude: what pruning (module 17) could remove; see `weight_distribution`.

    Raises:
        ValueError: the model has no weights, or a percentile lies outside 0 to 100.

    >>> from ..core.layers import Linear
    >>> sorted(analyze_weight_distribution(Linear(2, 2), percentiles=[50]))[-1]
    'total_weights'
    """
    return weight_distribution(model_parameters(model), percentiles)


def _optimizer_memory_mb(parameters: Iterable[Tensor]) -> dict[str, float]:
    """MB that each optimizer of module 06 keeps from step to step for the parameters that are learned."""
    learned_mb = _nbytes(tensor for tensor in parameters if tensor.requires_grad) / MB
    return {name: n * learned_mb for name, n in _OPTIMIZER_ARRAYS.items()}


def _nbytes(tensors: Iterable[Tensor]) -> int:
    return sum(tensor.nbytes for tensor in tensors)


def _sample_input(model: Any, shape: Shape) -> Tensor:
    """Standard normal numbers, or token ids 0 for a model that begins with a look-up.

    From a generator of its own: profiling must not change what the caller draws next.
    """
    first = model
    while inside := getattr(first, "layers", None):
        first = inside[0]
    if _TAKES_IDS & {cls.__name__ for cls in type(first).__mro__}:
        return Tensor(np.zeros(shape, dtype=np.int64))
    return Tensor(np.random.default_rng(0).standard_normal(shape))


def _checked_shape(shape: Shape) -> Shape:
    if not all(isinstance(length, int | np.integer) and length > 0 for length in shape):
        raise ValueError(f"an input shape is a tuple of positive integers, got {shape!r}")
    return tuple(int(length) for length in shape)
