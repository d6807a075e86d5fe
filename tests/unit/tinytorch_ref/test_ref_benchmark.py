"""What module 19 gives along with its exercises, driven by a clock and by models of these tests' own."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from tinytorch_ref.benchmarking.benchmark import (
    Benchmark,
    BenchmarkReport,
    BenchmarkResult,
    BenchmarkSuite,
    MLPerf,
    OlympicEvent,
    TinyMLPerf,
    clock_tick_ms,
    compare_optimization_techniques,
    compare_times,
    environment,
    interleaved_times,
    qualifies_event,
    slow_runs_allowed,
    t_quantile,
)
from tinytorch_ref.core.layers import Linear
from tinytorch_ref.core.tensor import Tensor

EXAMPLES, LABELS = np.eye(10, dtype=np.float32), np.arange(10)


class Machine:
    """A clock that work moves; each run is slower than the one before by `drift` of what it takes at first."""

    def __init__(self, drift: float = 0.0, step_ms: float = 0.0) -> None:
        self.ms, self.runs, self.drift, self.step_ms = 0.0, 0, drift, step_ms

    def clock(self) -> float:
        return self.ms if not self.step_ms else math.floor(self.ms / self.step_ms) * self.step_ms

    def model(self, ms: float, wrong_from: int = 10**9, cold: tuple[float, ...] = ()) -> Callable[[Tensor], Tensor]:
        """Takes so long, and answers with its input until so many runs have been made; the first ones take `cold`."""
        calls: list[int] = []

        def run(x: Tensor) -> Tensor:
            calls.append(1)
            start = cold[len(calls) - 1] if len(calls) <= len(cold) else ms
            self.ms += start * (1 + self.drift * self.runs)
            self.runs += 1
            return x * (1 if len(calls) < wrong_from else -1)

        return run


def fails(x: Tensor) -> Tensor:
    raise ZeroDivisionError("no answer")


def test_t_is_that_of_the_tables() -> None:
    table = {(0.95, 1): 12.7062, (0.95, 2): 4.3027, (0.95, 9): 2.2622, (0.99, 30): 2.75, (0.9, 200): 1.6525}
    assert {key: round(t_quantile(*key), 4) for key in table} == table


def test_the_rule_of_early_stopping_is_that_of_the_load_generator() -> None:
    """Which writes for 2,048 queries "Would discard 172 highest latency queries", and wants 64 at least."""
    assert slow_runs_allowed(2048) - 1 == 172
    assert slow_runs_allowed(64) == 1
    with pytest.raises(ValueError, match="too few"):
        slow_runs_allowed(63)


def test_no_values_are_no_result_and_a_single_one_has_no_interval() -> None:
    with pytest.raises(ValueError, match="nothing was measured"):
        BenchmarkResult("answers_ms", [])
    single = BenchmarkResult("answers_ms", [2.0])
    assert (single.median, single.std, single.ci_lower, single.median_upper) == (2.0, None, None, None)
    assert "n=1" in str(single)


def test_a_result_goes_through_json_and_refuses_percentiles() -> None:
    result = BenchmarkResult("answers_ms", [float(ms) for ms in range(1, 101)], {"warmup": 3})
    assert json.loads(json.dumps(result.to_dict())) == result.to_dict()
    assert (result.percentile(50), result.percentile(99)) == (50.0, None)


def test_models_that_drift_together_are_told_apart_by_what_they_take() -> None:
    machine = Machine(drift=0.01)
    models = {"old": machine.model(8.0), "again": machine.model(8.0), "new": machine.model(2.0)}
    benchmark = Benchmark(models, measurement_runs=40, clock=machine.clock)
    rows = {row["model"]: row for row in benchmark.compare_models("latency", input_shape=(1, 10))}
    assert rows["again"]["verdict"] == "cannot tell"
    assert rows["new"]["verdict"] == "faster"
    assert rows["new"]["speedup"] == pytest.approx(4, rel=0.05)


def test_the_same_work_one_after_the_other_seems_slower_on_a_machine_that_drifts() -> None:
    machine = Machine(drift=0.01)
    run = machine.model(8.0)
    first, second = (interleaved_times({"A": lambda: run(Tensor([1.0]))}, 40, machine.clock)[0]["A"] for _ in range(2))
    assert compare_times(first, second)["verdict"] == "slower"


def test_a_warm_up_is_found_and_left_out_of_all_rows() -> None:
    machine = Machine()
    models = {"cold": machine.model(2.0, cold=(9.0,) * 12), "warm": machine.model(2.0)}
    results = Benchmark(models, measurement_runs=40, clock=machine.clock).run_latency_benchmark(input_shape=(1, 10))
    # five of its runs are made to find out how often to repeat it
    assert results["cold"].metadata["warmup"] == 7
    assert results["cold"].max_val == results["warm"].max_val == 2.0
    assert results["cold"].count == results["warm"].count == 33


def test_a_coarse_clock_asks_for_repetitions_and_is_mentioned() -> None:
    machine = Machine(step_ms=1.0)
    reads = [0]

    def clock() -> float:  # one that goes on by itself, or its step could not be seen
        reads[0] += 1
        machine.ms += 0.01
        return machine.clock()

    assert clock_tick_ms(clock) == 1.0
    models = {"short": machine.model(0.3)}
    result = Benchmark(models, measurement_runs=24, clock=clock).run_latency_benchmark(input_shape=(1, 10))["short"]
    assert result.metadata["loops"] == 128
    assert result.median == pytest.approx(0.3, rel=0.05)
    assert "coarse clock" in result.metadata["caveats"]


def test_nothing_is_made_up() -> None:
    machine = Machine()
    with pytest.raises(ValueError, match="no accuracy is made up"):
        Benchmark({"model": machine.model(1.0)}, clock=machine.clock).run_accuracy_benchmark()
    with pytest.raises(ValueError, match="shape of an input"):
        Benchmark({"model": machine.model(1.0)}, clock=machine.clock).run_latency_benchmark()
    with pytest.raises(ValueError, match="not 'energy'"):
        Benchmark({"model": machine.model(1.0)}, clock=machine.clock).compare_models("energy")
    with pytest.raises(ZeroDivisionError):
        Benchmark({"model": fails}, clock=machine.clock).run_latency_benchmark(input_shape=(1, 10))
    with pytest.raises(ValueError, match="a label for each"):
        Benchmark({"model": machine.model(1.0)}, [(EXAMPLES, LABELS[:3])])


def test_models_have_names_of_their_own() -> None:
    machine = Machine()
    named = SimpleNamespace(name="model_1")
    assert list(Benchmark([machine.model(1.0), machine.model(1.0)]).models) == ["model_0", "model_1"]
    with pytest.raises(ValueError, match="a name of its own"):
        Benchmark([named, machine.model(1.0)])
    with pytest.raises(ValueError, match="at least one model"):
        Benchmark([])


def suite_of(machine: Machine, folder: Path) -> BenchmarkSuite:
    models = {"slow": machine.model(4.0), "fast": machine.model(1.0), "wrong": machine.model(1.0, wrong_from=0)}
    return BenchmarkSuite(models, [(EXAMPLES, LABELS)], str(folder), measurement_runs=24, clock=machine.clock)


def test_a_suite_measures_three_things_and_its_front_leaves_out_what_is_dominated(tmp_path: Path) -> None:
    suite = suite_of(Machine(), tmp_path / "results")
    assert set(suite.run_full_benchmark()) == {"latency", "accuracy", "memory"}
    assert {name: row["accuracy"] for name, row in suite.metrics().items()} == {"slow": 1.0, "fast": 1.0, "wrong": 0.0}
    assert suite.pareto_front(["latency", "accuracy"]) == ["fast"]
    assert suite.pareto_front(["latency"]) == ["fast", "wrong"]


def test_a_report_names_machine_comparison_and_doubts_and_is_written_where_it_is_asked_for(tmp_path: Path) -> None:
    folder = tmp_path / "results"
    suite = suite_of(Machine(), folder)
    report = suite.generate_report()
    assert not folder.exists()
    assert all(f"- {name}: {value}" in report for name, value in environment().items() if name != "clock step")
    assert "- fast: faster (4.000 times as fast" in report
    assert "10 examples: one of them is 10.00 points of accuracy" in report
    suite.generate_report(save=True)
    assert (folder / "report.md").read_text(encoding="utf-8").startswith("# Benchmark")


def standard(machine: Machine, model: Any, num_runs: int = 200) -> dict[str, Any]:
    referee = MLPerf(datasets={"anomaly_detection": (EXAMPLES, LABELS)}, clock=machine.clock)
    return referee.run_standard_benchmark(model, "anomaly_detection", num_runs)


def test_the_accuracy_of_a_standard_run_is_that_of_the_answers_that_were_timed() -> None:
    machine = Machine()
    entry = standard(machine, machine.model(3.0, wrong_from=106))  # 5 calibrate; of 200 that are timed 100 are right
    assert entry["accuracy"] == pytest.approx(0.5)
    assert not entry["accuracy_met"]
    assert entry["latency_met"]
    assert not entry["compliant"]


def test_a_standard_run_tells_what_its_runs_allow() -> None:
    machine = Machine()
    entry = standard(machine, machine.model(3.0))
    assert (entry["p50_latency_ms"], entry["p90_latency_ms"], entry["p99_latency_ms"]) == (3.0, 3.0, None)
    assert (entry["p90_early_stopping_ms"], entry["num_runs"], entry["compliant"]) == (3.0, 200, True)
    few = standard(machine, machine.model(3.0), num_runs=40)
    assert (few["p90_early_stopping_ms"], few["latency_met"], few["compliant"]) == (None, False, False)


def test_tasks_without_data_are_not_run(tmp_path: Path) -> None:
    assert MLPerf is TinyMLPerf
    machine = Machine()
    referee = TinyMLPerf(datasets={"anomaly_detection": (EXAMPLES, LABELS)}, clock=machine.clock)
    with pytest.raises(ValueError, match="is none of"):
        referee.run_standard_benchmark(machine.model(1.0), "chess")
    results = referee.run_all_benchmarks(machine.model(1.0))
    assert "no data" in results["keyword_spotting"]["error"]
    assert results["anomaly_detection"]["compliant"]
    lines = referee.generate_compliance_report(results, str(tmp_path / "report.json")).splitlines()
    assert "anomaly_detection: compliant" in lines
    assert any(line.startswith("keyword_spotting: not run, no data") for line in lines)
    assert json.loads((tmp_path / "report.json").read_text(encoding="utf-8"))["results"] == results


def test_techniques_are_compared_with_the_model_that_they_were_made_of() -> None:
    machine = Machine()
    others = {"fast": machine.model(1.0), "wrong": machine.model(0.5, wrong_from=6)}  # right while it is calibrated
    with pytest.raises(ValueError, match="above 0"):  # nothing right at all is no figure to compare
        compare_optimization_techniques(machine.model(4.0), others, [(EXAMPLES, LABELS)], clock=machine.clock)
    del others["wrong"]
    result = compare_optimization_techniques(machine.model(4.0), others, [(EXAMPLES, LABELS)], clock=machine.clock)
    assert result["improvements"]["fast"]["latency_speedup"] == 4.0
    assert result["improvements"]["fast"]["accuracy_retention"] == 1.0
    assert result["comparisons"]["fast"]["verdict"] == "faster"
    assert result["recommendations"]["for_latency_critical"]["model"] == "fast"
    assert not [key for key in result["improvements"]["fast"] if "energy" in key]
    with pytest.raises(ValueError, match="name of two models"):
        compare_optimization_techniques(machine.model(1.0), {"base": machine.model(1.0)}, [(EXAMPLES, LABELS)])


def test_a_report_of_one_model_counts_what_it_stores() -> None:
    metrics = BenchmarkReport("reader").benchmark_model(Linear(10, 10), EXAMPLES, LABELS, num_runs=20)
    assert metrics["parameter_count"] == 110
    assert metrics["model_size_mb"] == 440 / 2**20


def test_who_qualifies_has_measured_what_the_event_asks_for() -> None:
    assert qualifies_event(OlympicEvent.LATENCY_SPRINT, {"accuracy": 0.85})
    assert not qualifies_event(OlympicEvent.MEMORY_CHALLENGE, {"accuracy": 0.84})
    assert qualifies_event(OlympicEvent.ACCURACY_CONTEST, {"latency": 99.0, "memory": 9.0})
    assert not qualifies_event(OlympicEvent.ACCURACY_CONTEST, {"latency": 100.0, "memory": 9.0})
    with pytest.raises(KeyError):
        qualifies_event(OlympicEvent.ACCURACY_CONTEST, {"latency": 99.0})
