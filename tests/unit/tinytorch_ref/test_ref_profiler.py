"""The profiler: what it observes, what decides the bottleneck, and that an error is an error."""

from __future__ import annotations

import gc
import time
import tracemalloc
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from tinytorch_ref.core.activations import ReLU
from tinytorch_ref.core.layers import Dropout, Layer, Linear, Sequential
from tinytorch_ref.core.tensor import Tensor
from tinytorch_ref.profiling import profiler as profiler_module
from tinytorch_ref.profiling.machine import Machine, measure_machine
from tinytorch_ref.profiling.profiler import (
    Profiler,
    analyze_weight_distribution,
    model_parameters,
    quick_profile,
)

MB = 2**20
PYTHON_OBJECTS_MB = 0.1


class ModelError(Exception):
    pass


class Broken(Linear):
    def forward(self, x: Tensor) -> Tensor:
        raise ModelError


class Scratch(ReLU):
    """Returns its input's shape, but takes a scratch array of `mb` on the way."""

    def __init__(self, mb: int) -> None:
        self.mb = mb

    def forward(self, x: Tensor) -> Tensor:
        scratch = np.zeros(self.mb * MB, np.uint8)
        return x + float(scratch[0])


def profiler_on(gflops: float, bandwidth_mbs: float) -> Profiler:
    profiler = Profiler()
    profiler.machine = Machine(gflops, bandwidth_mbs)
    return profiler


# Parameters


@pytest.mark.parametrize(
    ("model", "count"),
    [
        (Linear(128, 64), 8256),
        (Linear(128, 64, bias=False), 8192),
        (ReLU(), 0),
        (lambda x: x, 0),
        (Sequential(Linear(4, 3), ReLU(), Sequential(Linear(3, 2))), 15 + 8),
        (SimpleNamespace(layers=[Linear(4, 3), ReLU()]), 15),
        (SimpleNamespace(weight=Tensor(np.zeros((2, 3))), bias=None), 6),
        (SimpleNamespace(weight=Tensor(np.zeros((2, 3))), bias=Tensor(np.zeros(3))), 9),
    ],
)
def test_parameters_are_found_however_a_model_keeps_them(model: Any, count: int) -> None:
    assert Profiler().count_parameters(model) == count


def test_a_layer_without_its_own_list_is_asked_for_its_layers() -> None:
    class Stack(Layer):
        def __init__(self) -> None:
            self.layers = [Linear(4, 3)]

    assert Profiler().count_parameters(Stack()) == 15


def test_shared_parameters_count_once() -> None:
    shared = Linear(4, 4)
    tied = Linear(4, 4)
    tied.weight = shared.weight
    assert Profiler().count_parameters(SimpleNamespace(layers=[shared, shared, tied])) == 16 + 4 + 4
    assert len(model_parameters(Sequential(shared, shared))) == 2


# Memory


def test_parameter_memory_is_the_bytes_that_are_stored() -> None:
    layer = Linear(256, 256, bias=False)
    assert Profiler().measure_memory(layer, (1, 256))["parameter_memory_mb"] == 0.25
    layer.weight.data = layer.weight.data.astype(np.int8)
    assert Profiler().measure_memory(layer, (1, 256))["parameter_memory_mb"] == 0.0625


def test_scratch_memory_is_seen_although_it_is_gone_when_the_pass_is_over() -> None:
    memory = Profiler().measure_memory(Scratch(8), (16, 16))
    assert 8 < memory["activation_memory_mb"] < 8 + PYTHON_OBJECTS_MB
    assert memory["memory_efficiency"] < 0.02


def test_activation_memory_follows_the_layers_and_not_the_input() -> None:
    narrow_in_wide_out = Profiler().measure_memory(Linear(2, 4096, bias=False), (64, 2))
    assert 1 <= narrow_in_wide_out["activation_memory_mb"] < 1 + PYTHON_OBJECTS_MB
    wide_in_narrow_out = Profiler().measure_memory(Linear(4096, 2, bias=False), (64, 4096))
    assert wide_in_narrow_out["activation_memory_mb"] < PYTHON_OBJECTS_MB


def test_activation_memory_grows_with_the_batch() -> None:
    profiler, model = Profiler(), Sequential(Linear(64, 1024), ReLU(), Linear(1024, 64))
    small = profiler.measure_memory(model, (64, 64))
    large = profiler.measure_memory(model, (256, 64))
    assert large["parameter_memory_mb"] == small["parameter_memory_mb"]
    assert large["activation_memory_mb"] / small["activation_memory_mb"] == pytest.approx(4, rel=0.1)


def test_peak_memory_is_parameters_input_and_activations() -> None:
    memory = Profiler().measure_memory(Linear(512, 256), (128, 512))
    rest = memory["peak_memory_mb"] - memory["parameter_memory_mb"] - memory["activation_memory_mb"]
    assert rest == pytest.approx(128 * 512 * 4 / MB)


def test_memory_efficiency_is_what_is_left_over_what_was_taken() -> None:
    identity = Profiler().measure_memory(Dropout(0), (512, 512))
    assert identity["memory_efficiency"] == pytest.approx(1, abs=0.01)
    # 2 MB of output and 2 MB of input are left of a peak that had 4 MB of scratch or so as well
    half = Profiler().measure_memory(Scratch(4), (512, 1024))
    assert half["memory_efficiency"] == pytest.approx(4 / 8, abs=0.01)


def test_measuring_memory_leaves_a_running_trace_running() -> None:
    Profiler().measure_memory(ReLU(), (4, 4))
    assert not tracemalloc.is_tracing()
    tracemalloc.start()
    try:
        np.zeros(20 * MB, np.uint8)  # an earlier height that is not the model's
        memory = Profiler().measure_memory(Scratch(2), (4, 4))
        assert tracemalloc.is_tracing()
    finally:
        tracemalloc.stop()
    assert 2 < memory["activation_memory_mb"] < 2 + PYTHON_OBJECTS_MB


def test_profiling_does_not_touch_numpys_global_generator() -> None:
    np.random.seed(1)
    expected = np.random.random()
    np.random.seed(1)
    Profiler().profile_layer(Linear.__new__(_Seedless), (2, 3))
    assert np.random.random() == expected


class _Seedless(Linear):
    weight = Tensor(np.ones((3, 2)))
    bias = None


def test_models_that_begin_with_a_look_up_are_given_token_ids() -> None:
    class Embedding(Layer):
        weight = Tensor(np.ones((5, 3)))

        def forward(self, ids: Tensor) -> Tensor:
            seen.append(ids)
            return self.weight[ids]

    seen: list[Tensor] = []
    Profiler().measure_memory(Sequential(Embedding(), Linear(3, 2)), (2, 4))
    assert all(ids.dtype.kind == "i" and not ids.data.any() and ids.shape == (2, 4) for ids in seen)
    assert len(seen) == 2


# Latency


def test_latency_is_the_median_in_milliseconds(monkeypatch: pytest.MonkeyPatch) -> None:
    taken_ns = [5_000_000, 1_000_000, 900_000_000, 2_000_000, 3_000_000]
    clock = iter([reading for ns in taken_ns for reading in (10**9, 10**9 + ns)])
    monkeypatch.setattr(time, "perf_counter_ns", lambda: next(clock))
    assert Profiler().measure_latency(lambda x: x, Tensor([1]), warmup=3, iterations=5) == 3.0


def test_the_model_runs_for_warm_up_and_iterations_and_no_more() -> None:
    inputs: list[Tensor] = []
    x = Tensor([1])
    Profiler().measure_latency(inputs.append, x, warmup=3, iterations=7)
    assert len(inputs) == 10
    assert all(seen is x for seen in inputs)


def test_a_model_that_has_only_forward_is_run_too() -> None:
    inputs: list[Tensor] = []
    Profiler().measure_latency(SimpleNamespace(forward=inputs.append), Tensor([1]), warmup=0, iterations=2)
    assert len(inputs) == 2


@pytest.mark.parametrize(
    "measure",
    [
        lambda p, x: p.measure_latency(Broken(2, 2), x),
        lambda p, x: p.measure_latency(Broken(2, 2), x, warmup=0, iterations=1),
        lambda p, x: p.measure_memory(Broken(2, 2), x.shape),
        lambda p, x: p.profile_layer(Broken(2, 2), x.shape),
        lambda p, x: p.profile_forward_pass(Broken(2, 2), x),
        lambda p, x: p.profile_forward_pass(Sequential(Broken(2, 2)), x),
        lambda p, x: p.profile_backward_pass(Broken(2, 2), x),
    ],
)
def test_an_error_in_the_model_is_an_error_and_not_a_time(measure: Any) -> None:
    with pytest.raises(ModelError):
        measure(Profiler(), Tensor([[1, 2]]))
    assert not tracemalloc.is_tracing()


def test_the_collector_waits_while_timing_and_works_again_afterwards() -> None:
    states: list[bool] = []

    def model(x: Tensor) -> None:
        states.append(gc.isenabled())
        if len(states) > 2:
            raise ModelError

    Profiler().measure_latency(model, Tensor([1]), warmup=0, iterations=2)
    assert gc.isenabled()
    with pytest.raises(ModelError):
        Profiler().measure_latency(model, Tensor([1]), warmup=0, iterations=1)
    assert gc.isenabled()
    assert states == [False, False, False]


@pytest.mark.parametrize(("warmup", "iterations"), [(0, 0), (0, -1), (-1, 1)])
def test_latency_needs_at_least_one_iteration(warmup: int, iterations: int) -> None:
    with pytest.raises(ValueError, match="iterations >= 1"):
        Profiler().measure_latency(ReLU(), Tensor([1]), warmup=warmup, iterations=iterations)


def test_what_cannot_be_run_is_a_type_error() -> None:
    with pytest.raises(TypeError, match="int"):
        Profiler().measure_latency(3, Tensor([1]))


# Profiles


def test_a_layers_profile_has_its_counts_and_consistent_figures() -> None:
    profile = Profiler().profile_layer(Linear(128, 64), (32, 128))
    assert profile["layer_type"] == "Linear"
    assert profile["parameters"] == 8256
    assert profile["flops"] == 524_288
    assert profile["gflops_per_second"] * profile["latency_ms"] == pytest.approx(524_288 / 1e6)
    assert profile["parameter_memory_mb"] == 4 * 8256 / MB


def test_the_time_of_a_profile_is_the_measured_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Profiler, "measure_latency", lambda *args, **kwargs: 4.0)
    profile = profiler_on(gflops=10, bandwidth_mbs=1000).profile_forward_pass(
        Linear(1000, 500, bias=False), Tensor(np.zeros((8, 1000)))
    )
    assert profile["latency_ms"] == 4
    assert profile["gflops_per_second"] == pytest.approx(8e6 / 4e-3 / 1e9)
    assert profile["computational_efficiency"] == pytest.approx(0.2)
    moved = 4 * (1000 * 500 + 8 * 1000 + 8 * 500)
    assert profile["memory_bandwidth_mbs"] == pytest.approx(moved / MB / 4e-3)
    assert profile["arithmetic_intensity"] == pytest.approx(8e6 / moved)


@pytest.mark.parametrize(("gflops", "bottleneck"), [(1.99, "compute"), (2.01, "memory")])
def test_the_bottleneck_is_where_intensity_falls_against_the_machines_balance(gflops: float, bottleneck: str) -> None:
    # ReLU makes 1 operation for 8 bytes; a machine of 2 GFLOP/s and 16e9 bytes/s does exactly that.
    profile = profiler_on(gflops, 16e9 / MB).profile_forward_pass(ReLU(), Tensor(np.ones((10, 10))))
    assert profile["arithmetic_intensity"] == 1 / 8
    assert profile["bottleneck"] == bottleneck
    assert profile["is_memory_bound"] is (bottleneck == "memory")
    assert profile["is_compute_bound"] is (bottleneck == "compute")


def test_a_larger_batch_raises_the_intensity_and_turns_memory_bound_into_compute_bound() -> None:
    profiler, layer = profiler_on(gflops=100, bandwidth_mbs=20_000), Linear(256, 256)
    alone = profiler.profile_forward_pass(layer, Tensor(np.ones((1, 256))))
    batch = profiler.profile_forward_pass(layer, Tensor(np.ones((256, 256))))
    assert (alone["bottleneck"], batch["bottleneck"]) == ("memory", "compute")


def test_weights_of_one_byte_raise_the_intensity() -> None:
    profiler, layer, x = profiler_on(100, 20_000), Linear(256, 256, bias=False), Tensor(np.ones((1, 256)))
    before = profiler.profile_forward_pass(layer, x)["arithmetic_intensity"]
    layer.weight.data = layer.weight.data.astype(np.int8)
    after = profiler.profile_forward_pass(layer, x)["arithmetic_intensity"]
    assert after / before == pytest.approx((4 * 65536 + 2048) / (65536 + 2048))


def test_a_layer_that_calculates_nothing_is_memory_bound_and_not_a_division_by_zero() -> None:
    profile = profiler_on(100, 20_000).profile_forward_pass(Dropout(0), Tensor([[1, 2]]))
    assert profile["flops"] == 0
    assert profile["gflops_per_second"] == 0
    assert profile["bottleneck"] == "memory"


def test_the_machine_is_measured_once_per_profiler(monkeypatch: pytest.MonkeyPatch) -> None:
    machines = [Machine(1, 1), Machine(2, 2)]
    monkeypatch.setattr(profiler_module, "measure_machine", lambda: machines.pop(0))
    profiler = Profiler()
    assert len(machines) == 2  # not before it is needed
    for _ in range(2):
        profile = profiler.profile_forward_pass(ReLU(), Tensor([[1, 2]]))
        assert profile["machine_gflops_per_second"] == 1
    assert len(machines) == 1


def test_measured_peaks_are_of_a_machine_that_exists() -> None:
    machine = measure_machine()
    assert 0.01 < machine.gflops < 1e5
    assert 10 < machine.bandwidth_mbs < 1e8
    assert machine.balance == pytest.approx(machine.gflops * 1e9 / (machine.bandwidth_mbs * MB))


def test_quick_profile_prints_a_table_and_returns_the_profile(capsys: pytest.CaptureFixture[str]) -> None:
    profiler = profiler_on(gflops=100, bandwidth_mbs=20_000)
    profile = quick_profile(Linear(1024, 2, bias=False), Tensor(np.ones((1, 1024))), profiler)
    printed = dict(line.split(maxsplit=1) for line in capsys.readouterr().out.splitlines())
    assert printed["Parameters"] == "2,048"
    assert printed["FLOPs"] == "4,096"
    assert printed["Bottleneck"] == profile["bottleneck"] == "memory"
    assert printed["Latency"] == f"{profile['latency_ms']:.3f} ms"
    assert profile["machine_gflops_per_second"] == 100


# Weights


def test_the_distribution_is_of_magnitudes_of_weights_without_biases() -> None:
    layer = Linear(2, 3)
    layer.weight.data[:] = [[-4, 0.05, 0.005], [2, 0.0005, 0]]
    distribution = analyze_weight_distribution(Sequential(layer), percentiles=[0, 50, 100])
    magnitudes = [0, 0.0005, 0.005, 0.05, 2, 4]
    assert distribution["total_weights"] == 6
    assert distribution["mean"] == pytest.approx(sum(magnitudes) / 6)
    assert distribution["std"] == pytest.approx(np.std(magnitudes))
    assert (distribution["min"], distribution["max"]) == (0, 4)
    assert distribution["percentile_0"] == 0
    assert distribution["percentile_50"] == pytest.approx((0.005 + 0.05) / 2)
    assert distribution["percentile_100"] == 4
    assert distribution["below_threshold_0001"] == pytest.approx(100 * 2 / 6)
    assert distribution["below_threshold_001"] == pytest.approx(100 * 3 / 6)
    assert distribution["below_threshold_01"] == pytest.approx(100 * 4 / 6)


def test_the_distribution_has_the_keys_of_the_course() -> None:
    keys = set(analyze_weight_distribution(Linear(4, 4)))
    assert keys == {"total_weights", "mean", "std", "min", "max"} | {
        f"percentile_{p}" for p in (10, 25, 50, 75, 90)
    } | {f"below_threshold_{t}" for t in ("0001", "001", "01")}


def test_a_fresh_linear_layer_has_the_percentiles_of_a_normal_distribution() -> None:
    np.random.seed(0)
    distribution = analyze_weight_distribution(Linear(512, 512))
    # N(0, 1/512): P(|w| < t) = erf(t √512 / √2)
    assert distribution["below_threshold_001"] == pytest.approx(17.9, abs=0.5)
    assert distribution["below_threshold_01"] == pytest.approx(97.6, abs=0.3)
    assert distribution["percentile_50"] == pytest.approx(0.6745 / np.sqrt(512), rel=0.01)


@pytest.mark.parametrize("model", [ReLU(), lambda x: x, SimpleNamespace(weight=Tensor(np.ones(3)))])
def test_a_model_without_weights_has_nothing_to_analyse(model: Any) -> None:
    with pytest.raises(ValueError, match="no weights"):
        analyze_weight_distribution(model)


@pytest.mark.parametrize("percentile", [-1, 101])
def test_a_percentile_outside_0_to_100_is_refused(percentile: int) -> None:
    with pytest.raises(ValueError, match=r"0.*100"):
        analyze_weight_distribution(Linear(2, 2), [percentile])


def test_a_profiled_pass_is_not_recorded_so_outputs_make_room_for_one_another() -> None:
    one_output_mb = 1024 * 256 * 4 / MB
    model = Sequential(*(Linear(256, 256, bias=False) for _ in range(8)))
    memory = Profiler().measure_memory(model, (1024, 256))
    assert memory["activation_memory_mb"] < 3 * one_output_mb + PYTHON_OBJECTS_MB


def test_a_model_with_a_training_mode_is_told_that_it_does_not_train() -> None:
    modes: list[bool] = []

    class RecordsMode(Layer):
        has_training_mode = True

        def forward(self, x: Tensor, training: bool = True) -> Tensor:
            modes.append(training)
            return x

    Profiler().measure_latency(RecordsMode(), Tensor([1]), warmup=1, iterations=2)
    assert modes == [False, False, False]
