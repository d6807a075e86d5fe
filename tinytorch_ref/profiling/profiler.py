# module: 14_profiling
"""What a model costs: parameters, operations, bytes, milliseconds, and which of them holds it back.

A model is anything with `forward`, or a function of one tensor. It runs as when it is used: a model with a training
mode is told that it does not train, and nothing is recorded for gradients unless it is they that are profiled. An error
inside the model is raised, never timed. Megabytes are 2²⁰ bytes; batches are counted, not divided out. How operations
are counted stands in `costs`, how a model is run and watched in `runs`, the machine's own peaks in `machine`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from ..core.tensor import Shape, Tensor
from .costs import BACKWARD_FLOPS_PER_FORWARD, layer_cost
from .machine import MB, Machine, measure_machine
from .runs import (
    LossFunction,
    TrainingStep,
    allocated,
    brief_iterations,
    collector_paused,
    elapsed_ms,
    forward_run,
)

_TAKES_IDS = {"Embedding", "EmbeddingLayer", "GPT", "TinyGPT"}

# Arrays of a parameter's size that an optimizer of module 06 keeps for each: Adam's are m and v.
_OPTIMIZER_ARRAYS = {"sgd": 0, "adam": 2, "adamw": 2}


@dataclass(frozen=True)
class _Roofline:
    """What a forward pass asks of a machine; see `machine`."""

    flops: int
    moved: int  # bytes
    balance: float  # the machine's operations per byte

    @property
    def intensity(self) -> float:
        return self.flops / max(self.moved, 1)

    @property
    def bottleneck(self) -> str:
        return "memory" if self.intensity < self.balance else "compute"


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
        run = forward_run(model, input_tensor)
        for _ in range(warmup):
            run()
        with collector_paused():
            return float(np.median([elapsed_ms(run) for _ in range(iterations)]))

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
        roofline = self._roofline(model, input_tensor)
        latency_ms = self._brief_latency(model, input_tensor)
        gflops_per_second = roofline.flops / latency_ms / 1e6
        return {
            "parameters": self.count_parameters(model),
            "flops": roofline.flops,
            "latency_ms": latency_ms,
            **self._memory(model, input_tensor),
            "gflops_per_second": gflops_per_second,
            "memory_bandwidth_mbs": roofline.moved / MB / (latency_ms / 1e3),
            "arithmetic_intensity": roofline.intensity,
            "machine_balance": roofline.balance,
            "machine_gflops_per_second": self.machine.gflops,
            "machine_bandwidth_mbs": self.machine.bandwidth_mbs,
            "computational_efficiency": gflops_per_second / self.machine.gflops,
            "is_memory_bound": roofline.bottleneck == "memory",
            "is_compute_bound": roofline.bottleneck == "compute",
            "bottleneck": roofline.bottleneck,
        }

    def profile_backward_pass(
        self, model: Any, input_tensor: Tensor, _loss_fn: LossFunction | None = None
    ) -> dict[str, Any]:
        """A forward and a backward pass, both run and observed.

        The backward pass counts 2 operations for each of the forward's: Y = X W has one matrix product, and its
        gradients by X and by W, G Wᵀ and Xᵀ G, take two of the same size; layers without products, which count for
        little, go by the same rule. So it is where everything is learned; frozen weights would save their part. Time
        and memory follow no rule but are measured. The model's own gradients are as before when all is over.

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
            memory_efficiency: the share of that in parameters, input and gradients, 0 to 1. The rest is what the
                forward pass kept for the backward, and scratch;
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
        roofline = self._roofline(model, input_tensor)
        parameters = model_parameters(model)
        with TrainingStep(model, input_tensor, parameters, _loss_fn) as step:
            forward_ms, backward_ms = step.latency_ms()
            step_memory = step.memory()
        backward_flops = BACKWARD_FLOPS_PER_FORWARD * roofline.flops
        total_flops = roofline.flops + backward_flops
        total_ms = forward_ms + backward_ms
        return {
            "forward_flops": roofline.flops,
            "forward_latency_ms": forward_ms,
            "backward_flops": backward_flops,
            "backward_latency_ms": backward_ms,
            "total_flops": total_flops,
            "total_latency_ms": total_ms,
            "total_gflops_per_second": total_flops / total_ms / 1e6,
            **_training_memory(_nbytes(parameters) + input_tensor.nbytes, *step_memory),
            "optimizer_memory_estimates": _optimizer_memory_mb(parameters),
            "bottleneck": roofline.bottleneck,
        }

    def _roofline(self, model: Any, input_tensor: Tensor) -> _Roofline:
        cost = layer_cost(model, _checked_shape(input_tensor.shape))
        moved = _nbytes(model_parameters(model)) + cost.traffic * np.dtype(np.float32).itemsize
        return _Roofline(cost.flops, moved, self.machine.balance)

    def _memory(self, model: Any, input_tensor: Tensor) -> dict[str, float]:
        run = forward_run(model, input_tensor)
        run()  # what is set up once, on first use, is no activation
        activations, retained = allocated(run)
        parameters = _nbytes(model_parameters(model))
        peak = parameters + input_tensor.nbytes + activations
        return {
            "parameter_memory_mb": parameters / MB,
            "activation_memory_mb": activations / MB,
            "peak_memory_mb": peak / MB,
            "memory_efficiency": (peak - activations + retained) / max(peak, 1),
        }

    def _brief_latency(self, model: Any, input_tensor: Tensor) -> float:
        """Median latency in about half a second: from 3 passes of a slow model to 100 of a fast one."""
        first_ms = self.measure_latency(model, input_tensor, warmup=0, iterations=1)
        return self.measure_latency(model, input_tensor, warmup=1, iterations=brief_iterations(first_ms))


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


def _training_memory(before: int, forward_peak: int, peak: int, gradients: int) -> dict[str, float]:
    """The memory keys of a backward profile, from bytes: what there is before the step, and `TrainingStep.memory`."""
    return {
        "forward_memory_mb": (before + forward_peak) / MB,
        "gradient_memory_mb": gradients / MB,
        "total_memory_mb": (before + peak) / MB,
        "memory_efficiency": (before + gradients) / max(before + peak, 1),
    }


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
    while isinstance(layers := getattr(first, "layers", None), Sequence) and layers:
        first = layers[0]
    if _TAKES_IDS & {cls.__name__ for cls in type(first).__mro__}:
        return Tensor(np.zeros(shape, dtype=np.int64))
    return Tensor(np.random.default_rng(0).standard_normal(shape))


def _checked_shape(shape: Shape) -> Shape:
    if not all(isinstance(length, int | np.integer) and length > 0 for length in shape):
        raise ValueError(f"an input shape is a tuple of positive integers, got {shape!r}")
    return tuple(int(length) for length in shape)
