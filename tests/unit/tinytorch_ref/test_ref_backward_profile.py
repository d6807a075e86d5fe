"""Profiling a backward pass: it is run and observed, not guessed from the forward pass."""

from __future__ import annotations

import gc
import time
import tracemalloc
from typing import Any

import numpy as np
import pytest

from tinytorch_ref.core import autograd, tape
from tinytorch_ref.core.activations import ReLU
from tinytorch_ref.core.layers import Dropout, Layer, Linear, Sequential
from tinytorch_ref.core.losses import MSELoss
from tinytorch_ref.core.optimizers import SGD, Adam, AdamW
from tinytorch_ref.core.spatial import SimpleCNN
from tinytorch_ref.core.tensor import Tensor
from tinytorch_ref.models.transformer import GPT
from tinytorch_ref.profiling.machine import Machine
from tinytorch_ref.profiling.profiler import Profiler

MB = 2**20


class ModelError(Exception):
    pass


@pytest.fixture(autouse=True)
def rules_as_before(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tape, "_RULES", dict(tape._RULES))


def profiler_on(gflops: float, bandwidth_mbs: float) -> Profiler:
    profiler = Profiler()
    profiler.machine = Machine(gflops, bandwidth_mbs)
    return profiler


class Clock:
    """A clock that only `Timed` layers move."""

    def __init__(self) -> None:
        self.now = 10**9

    def __call__(self) -> int:
        return self.now


def timed_layer(clock: Clock, forward_ms: int, backward_ms: list[int]) -> Layer:
    class TimedBackward(autograd.Function):
        def apply(self, grad_output: Any) -> tuple[Any, ...]:
            clock.now += 10**6 * (backward_ms.pop(0) if len(backward_ms) > 1 else backward_ms[0])
            return (grad_output,)

    autograd.gradient_rule("timed")(TimedBackward)

    class Timed(ReLU):
        def forward(self, x: Tensor) -> Tensor:
            clock.now += 10**6 * forward_ms
            return Tensor._result(x.data, "timed", (x,))

    return Timed()  # type: ignore[return-value]


def test_the_backward_pass_is_run_and_its_median_time_has_nothing_to_do_with_the_forwards(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    clock = Clock()
    monkeypatch.setattr(time, "perf_counter_ns", clock)
    layer = timed_layer(clock, forward_ms=100, backward_ms=[70, 70, 9000, 71])
    profile = profiler_on(1, 1).profile_backward_pass(layer, Tensor(np.ones((2, 5))))
    assert (profile["forward_latency_ms"], profile["backward_latency_ms"]) == (100, 71)
    assert profile["total_latency_ms"] == 171
    assert profile["total_gflops_per_second"] == pytest.approx(3 * 10 / 0.171 / 1e9)


def test_operations_of_a_backward_pass_are_two_for_each_of_the_forward() -> None:
    model = Sequential(Linear(64, 32), ReLU(), Linear(32, 10))
    profile = profiler_on(1, 1).profile_backward_pass(model, Tensor(np.ones((8, 64))))
    assert profile["forward_flops"] == Profiler().count_flops(model, (8, 64)) == 38144
    assert profile["backward_flops"] == 2 * 38144
    assert profile["total_flops"] == 3 * 38144


def test_memory_of_gradients_is_that_of_the_arrays_which_backward_left() -> None:
    frozen = Linear(64, 64)
    for tensor in frozen.parameters():
        tensor.requires_grad = False
    tied = Linear(64, 64, bias=False)
    tied.weight.data = tied.weight.data.astype(np.float64)
    profile = profiler_on(1, 1).profile_backward_pass(Sequential(frozen, tied, tied), Tensor(np.ones((2, 64))))
    assert profile["gradient_memory_mb"] == 8 * 64 * 64 / MB
    assert profile["optimizer_memory_estimates"] == {"sgd": 0, "adam": 16 * 64 * 64 / MB, "adamw": 16 * 64 * 64 / MB}


@pytest.mark.parametrize(("name", "optimizer"), [("sgd", SGD), ("adam", Adam), ("adamw", AdamW)])
def test_the_optimizers_of_the_course_keep_what_is_estimated(name: str, optimizer: Any) -> None:
    model, x = Linear(100, 50), Tensor(np.ones((2, 100)))
    estimate = profiler_on(1, 1).profile_backward_pass(model, x)["optimizer_memory_estimates"][name]
    trained = optimizer(model.parameters())
    model(x).sum().backward()
    trained.step()
    state_bytes = sum(array.nbytes for state in trained.state for array in state.values() if array.shape)
    assert estimate == state_bytes / MB


def test_what_the_forward_pass_keeps_for_the_backward_is_in_the_memory() -> None:
    one_output_mb = 1024 * 256 * 4 / MB
    model = Sequential(*(Linear(256, 256, bias=False) for _ in range(8)))
    x = Tensor(np.ones((1024, 256)))
    profile = profiler_on(1, 1).profile_backward_pass(model, x)
    there_before = 8 * 256 * 256 * 4 / MB + x.nbytes / MB
    assert profile["forward_memory_mb"] - there_before == pytest.approx(8 * one_output_mb, abs=0.2)
    assert profile["total_memory_mb"] > profile["forward_memory_mb"]
    in_use = there_before + profile["gradient_memory_mb"]
    assert profile["memory_efficiency"] == pytest.approx(in_use / profile["total_memory_mb"])
    assert 0 < profile["memory_efficiency"] < 1


def test_a_backward_profile_has_the_keys_of_the_course() -> None:
    profile = profiler_on(1, 1).profile_backward_pass(Linear(4, 2), Tensor(np.ones((1, 4))))
    assert set(profile) == {
        *(f"{which}_{what}" for which in ("forward", "total") for what in ("flops", "latency_ms", "memory_mb")),
        *("backward_flops", "backward_latency_ms", "gradient_memory_mb", "total_gflops_per_second"),
        *("optimizer_memory_estimates", "memory_efficiency", "bottleneck"),
    }


def test_the_backward_profile_starts_from_the_loss_that_it_is_given() -> None:
    seen: list[Any] = []

    def loss(output: Tensor) -> Tensor:
        seen.append(output.shape)
        return MSELoss()(output, Tensor(np.zeros(output.shape)))

    profiler_on(1, 1).profile_backward_pass(Linear(4, 2), Tensor(np.ones((3, 4))), loss)
    assert set(seen) == {(3, 2)}
    with pytest.raises(ValueError, match="scalar"):
        profiler_on(1, 1).profile_backward_pass(Linear(4, 2), Tensor(np.ones((3, 4))), lambda output: output)


def test_a_backward_profile_leaves_gradients_the_input_and_the_random_numbers_as_they_were() -> None:
    model = Sequential(Linear(4, 3), Dropout(0.5), Linear(3, 2))
    x = Tensor(np.ones((2, 4)), requires_grad=True)
    gradient = np.ones((4, 3), np.float32)
    model.layers[0].weight.grad = gradient
    np.random.seed(3)
    expected = np.random.random()
    np.random.seed(3)
    profiler_on(1, 1).profile_backward_pass(model, x)
    assert np.random.random() == expected
    assert model.layers[0].weight.grad is gradient
    assert model.layers[2].weight.grad is None
    assert x.grad is None


def test_models_of_images_and_of_tokens_have_a_backward_profile() -> None:
    gpt = GPT(vocab_size=20, embed_dim=16, num_layers=1, num_heads=2, max_seq_len=8)
    for model, x in (
        (SimpleCNN(in_channels=1, image_size=8), Tensor(np.ones((2, 1, 8, 8)))),
        (gpt, Tensor(np.ones((2, 5), np.int64))),
    ):
        profile = profiler_on(1, 1).profile_backward_pass(model, x)
        assert profile["gradient_memory_mb"] == 4 * Profiler().count_parameters(model) / MB
        assert profile["backward_latency_ms"] > 0


def test_nothing_to_go_back_to_is_an_error() -> None:
    with pytest.raises(RuntimeError, match="requires_grad"):
        profiler_on(1, 1).profile_backward_pass(ReLU(), Tensor(np.ones(3, np.int64)))
    with autograd.no_grad(), pytest.raises(RuntimeError, match="no_grad"):
        profiler_on(1, 1).profile_backward_pass(Linear(2, 2), Tensor([[1, 2]]))
    with pytest.raises(TypeError, match="tuple"):
        profiler_on(1, 1).profile_backward_pass(ReLU(), Tensor([[1, 2]]), lambda output: (output, output))  # type: ignore[arg-type, return-value]
    with pytest.raises(TypeError, match="function"):
        profiler_on(1, 1).profile_backward_pass(lambda x: x, Tensor([[1, 2]]))


def test_an_error_in_the_backward_pass_is_raised_and_gradients_come_back() -> None:
    class BrokenBackward(autograd.Function):
        def apply(self, grad_output: Any) -> tuple[Any, ...]:
            raise ModelError

    autograd.gradient_rule("broken")(BrokenBackward)

    class BrokenLayer(Linear):
        def forward(self, x: Tensor) -> Tensor:
            return Tensor._result(x.data, "broken", (x, self.weight))

    layer = BrokenLayer(2, 2)
    layer.weight.grad = gradient = np.ones((2, 2), np.float32)
    with pytest.raises(ModelError):
        profiler_on(1, 1).profile_backward_pass(layer, Tensor([[1, 2]]))
    assert layer.weight.grad is gradient
    assert gc.isenabled()
    assert not tracemalloc.is_tracing()
