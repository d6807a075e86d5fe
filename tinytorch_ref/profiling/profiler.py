# module: 14_profiling
"""What a model costs: parameters, operations, bytes, milliseconds, and which of them holds it back.

A model is anything with `forward`, or a function of one tensor. It runs as when it is used: nothing is recorded for
gradients, and a model with a training mode is told that it does not train. An error inside the model is raised, never
timed. Megabytes are 2²⁰ bytes; batches are counted, not divided out. How operations are counted stands in
`costs`, the machine's own peaks in `machine`.
"""

from __future__ import annotations

import gc
import time
import tracemalloc
from collections.abc import Callable, Iterable, Sequence
from functools import cached_property
from typing import Any

import numpy as np

from ..core.autograd import no_grad
from ..core.tensor import Shape, Tensor
from .costs import layer_cost
from .machine import MB, Machine, measure_machine

_TAKES_IDS = {"Embedding", "EmbeddingLayer", "GPT", "TinyGPT"}


class Profiler:
    """Counts and measures models.

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
        """Floating-point operations of one forward pass on `input_shape`, batch included.

        A multiply-add is 2 operations and biases are not counted; `costs` has the whole convention.

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
                keep, scratch arrays, and some kB of Python objects. Seen by tracemalloc, to which numpy
                reports its arrays.
            peak_memory_mb: parameters + input + activations.
            memory_efficiency: the share of that peak which is still in use when the pass is over, 0 to 1. The
                rest was scratch.
        """
        return self._memory(model, _sample_input(model, _checked_shape(input_shape)))

    def measure_latency(self, model: Any, input_tensor: Tensor, warmup: int = 10, iterations: int = 100) -> float:
        """Median time of one forward pass in ms, over `iterations` passes after `warmup` untimed ones.

        The garbage collector waits meanwhile, as in `timeit`. What the model raises is raised.

        Raises:
            TypeError: the model can neither be called nor has it a `forward`.
            ValueError: `iterations` is less than 1, or `warmup` less than 0.
        """
        if iterations < 1 or warmup < 0:
            raise ValueError(f"needs iterations >= 1 and warmup >= 0, got {iterations} and {warmup}")
        run = _runner(model, input_tensor)
        for _ in range(warmup):
            run()
        collecting = gc.isenabled()
        gc.disable()
        try:
            return float(np.median([_elapsed_ms(run) for _ in range(iterations)]))
        finally:
            if collecting:
                gc.enable()

    def profile_layer(self, layer: Any, input_shape: Shape) -> dict[str, Any]:
        """One layer on a sample input: counts, memory, time.

        Returns:
            layer_type (class name), parameters, flops, latency_ms, gflops_per_second (10⁹ operations per
            second), and the keys of `measure_memory`.
        """
        shape = _checked_shape(input_shape)
        flops = self.count_flops(layer, shape)
        sample = _sample_input(layer, shape)
        latency_ms = self._brief_latency(layer, sample)
        return {
            "layer_type": type(layer).__name__,
            "parameters": self.count_parameters(layer),
            "flops": flops,
            "latency_ms": latency_ms,
            "gflops_per_second": flops / latency_ms / 1e6,
            **self._memory(layer, sample),
        }

    def profile_forward_pass(self, model: Any, input_tensor: Tensor) -> dict[str, Any]:
        """A forward pass, and what holds it back on this machine.

        The bytes moved are those of a model that reads every parameter once and in which each layer reads its
        input and writes its output once. Operations per byte, the arithmetic intensity, set against the
        machine's balance, say whether memory or arithmetic is the limit at best (see `machine`).

        Returns:
            parameters, flops, latency_ms, gflops_per_second, and the keys of `measure_memory`;
            memory_bandwidth_mbs: bytes moved over latency, in MB/s;
            arithmetic_intensity: FLOP/byte; machine_balance: the same for the machine;
            machine_gflops_per_second, machine_bandwidth_mbs: the measured peaks;
            computational_efficiency: gflops_per_second over the machine's peak, a fraction;
            is_memory_bound, is_compute_bound: one or the other; bottleneck: "memory" or "compute".
        """
        cost = layer_cost(model, _checked_shape(input_tensor.shape))
        latency_ms = self._brief_latency(model, input_tensor)
        parameters = model_parameters(model)
        moved = sum(p.data.nbytes for p in parameters) + cost.traffic * np.dtype(np.float32).itemsize
        intensity = cost.flops / max(moved, 1)
        gflops_per_second = cost.flops / latency_ms / 1e6
        is_memory_bound = intensity < self.machine.balance
        return {
            "parameters": sum(p.size for p in parameters),
            "flops": cost.flops,
            "latency_ms": latency_ms,
            **self._memory(model, input_tensor),
            "gflops_per_second": gflops_per_second,
            "memory_bandwidth_mbs": moved / MB / (latency_ms / 1e3),
            "arithmetic_intensity": intensity,
            "machine_balance": self.machine.balance,
            "machine_gflops_per_second": self.machine.gflops,
            "machine_bandwidth_mbs": self.machine.bandwidth_mbs,
            "computational_efficiency": gflops_per_second / self.machine.gflops,
            "is_memory_bound": is_memory_bound,
            "is_compute_bound": not is_memory_bound,
            "bottleneck": "memory" if is_memory_bound else "compute",
        }

    def _memory(self, model: Any, input_tensor: Tensor) -> dict[str, float]:
        run = _runner(model, input_tensor)
        run()  # what is set up once, on first use, is no activation
        activations, kept = _allocated(run)
        parameters = sum(tensor.data.nbytes for tensor in model_parameters(model))
        peak = parameters + input_tensor.data.nbytes + activations
        return {
            "parameter_memory_mb": parameters / MB,
            "activation_memory_mb": activations / MB,
            "peak_memory_mb": peak / MB,
            "memory_efficiency": (peak - activations + kept) / max(peak, 1),
        }

    def _brief_latency(self, model: Any, input_tensor: Tensor) -> float:
        """Median latency in about half a second: from 3 passes of a slow model to 100 of a fast one."""
        first_ms = self.measure_latency(model, input_tensor, warmup=0, iterations=1)
        iterations = max(3, min(100, int(500 / first_ms)))
        return self.measure_latency(model, input_tensor, warmup=1, iterations=iterations)


def model_parameters(model: Any) -> list[Tensor]:
    """The tensors that a model has learned, each once.

    Taken from `parameters()`; where there is none, or it is empty, from each of `.layers`; else from
    `.weight` and `.bias`.

    >>> from ..core.layers import Linear, Sequential
    >>> tied = Linear(3, 3, bias=False)
    >>> len(model_parameters(Sequential(tied, tied)))
    1
    """
    return list({id(tensor): tensor for tensor in _listed_parameters(model)}.values())


def _listed_parameters(model: Any) -> list[Tensor]:
    listed = list(model.parameters()) if hasattr(model, "parameters") else []
    if not listed and isinstance(layers := getattr(model, "layers", None), list | tuple):
        listed = [tensor for layer in layers for tensor in _listed_parameters(layer)]
    return listed or [tensor for name in ("weight", "bias") if isinstance(tensor := getattr(model, name, None), Tensor)]


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
    """How large a model's weights are, in magnitude |w|: what pruning (module 17) could remove.

    Weights are parameters of two axes or more; biases and scales of norms, which nobody prunes, stay out.

    Returns:
        total_weights; mean, std, min, max of the magnitudes; percentile_<p> for each p; and
        below_threshold_0001, _001, _01: the percentage of weights with |w| under 0.001, 0.01, 0.1.

    Raises:
        ValueError: the model has no weights, or a percentile lies outside 0 to 100.

    >>> from ..core.layers import Linear
    >>> layer = Linear(2, 2)
    >>> layer.weight.data[:] = [[0.5, -0.05], [0.005, 0]]
    >>> analyze_weight_distribution(layer, percentiles=[50])["below_threshold_01"]
    75.0
    """
    weights = [tensor.data.ravel() for tensor in model_parameters(model) if len(tensor.shape) >= 2]
    if not sum(w.size for w in weights):
        raise ValueError(f"{type(model).__name__} has no weights to analyse")
    magnitudes = np.abs(np.concatenate(weights).astype(np.float64))
    distribution: dict[str, float] = {
        "total_weights": magnitudes.size,
        "mean": float(magnitudes.mean()),
        "std": float(magnitudes.std()),
        "min": float(magnitudes.min()),
        "max": float(magnitudes.max()),
    }
    for percent in percentiles:
        distribution[f"percentile_{percent}"] = float(np.percentile(magnitudes, percent))
    for name, threshold in (("0001", 0.001), ("001", 0.01), ("01", 0.1)):
        distribution[f"below_threshold_{name}"] = float(100 * np.mean(magnitudes < threshold))
    return distribution


def _runner(model: Any, input_tensor: Tensor) -> Callable[[], object]:
    call = model if callable(model) else getattr(model, "forward", None)
    if call is None:
        raise TypeError(f"{type(model).__name__} can neither be called nor has it a forward")
    options = {"training": False} if getattr(model, "has_training_mode", False) else {}
    return lambda: no_grad()(call)(input_tensor, **options)


def _elapsed_ms(run: Callable[[], object]) -> float:
    start = time.perf_counter_ns()
    run()
    return max(time.perf_counter_ns() - start, 1) / 1e6


def _allocated(run: Callable[[], object]) -> tuple[int, int]:
    """Bytes that a run had allocated at its height, and of these at its end, with its result still there."""
    tracing = tracemalloc.is_tracing()
    if not tracing:
        tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        tracemalloc.reset_peak()
        result = run()
        after, peak = tracemalloc.get_traced_memory()
        del result
    finally:
        if not tracing:
            tracemalloc.stop()
    return peak - before, max(after - before, 0)


def _sample_input(model: Any, shape: Shape) -> Tensor:
    """Standard normal numbers, or token ids 0 for a model that begins with a look-up.

    From a generator of its own: profiling must not change what the caller draws next.
    """
    first = model
    while isinstance(layers := getattr(first, "layers", None), Sequence) and layers:
        first = layers[0]
    if _TAKES_IDS & {cls.__name__ for cls in type(first).__mro__}:
        return Tensor(np.zeros(shape, dtype=np.int64))
    return Tensor(np.random.default_rng(0).standard_normal(shape))


def _checked_shape(shape: Shape) -> Shape:
    if not all(isinstance(length, int | np.integer) and length > 0 for length in shape):
        raise ValueError(f"an input shape is a tuple of positive integers, got {shape!r}")
    return tuple(int(length) for length in shape)
