# module: 19_benchmarking
"""Benchmarking: Compare models so that a sceptic believes the figures, and say what the figures cannot say.

Exported from source/19_benchmarking.py; change that, then run `tito export 19`.
"""

import json
import os
import platform
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from enum import Enum
from functools import cached_property
from math import ceil, comb, cos, pi, sin, sqrt, tan
from pathlib import Path
from typing import Any

import numpy as np

from ..core.tensor import Array, Shape, Tensor
from ..data.digits import load_digits
from ..notebook import pyplot
from ..profiling.profiler import Profiler, model_parameters, summarize_times
from ..profiling.runs import Clock, Work, collector_paused, forward_run, now_ms


class Timer:
    """What `precise_timer` hands to its block; `elapsed` is None as long as there is no time to tell."""

    elapsed: float | None = None


@contextmanager
def precise_timer(clock: Clock = now_ms) -> Iterator[Timer]:
    """Time a block: `with precise_timer() as timer`, and then `timer.elapsed`, in seconds.

    Args:
        clock: a function that gives the time in **milliseconds**.

    >>> readings = iter([100.0, 350.0])
    >>> with precise_timer(clock=lambda: next(readings)) as timer:
    ...     pass
    >>> timer.elapsed
    0.25

    Hints:
        1. Under `@contextmanager`, what stands before `yield` is done first, what is yielded is the block's `timer`,
           and what stands after `yield` is done when the block has ended without an error.
        2. When is the clock read, and what may happen between the two readings?
    """
    timer = Timer()
    start = clock()
    yield timer
    timer.elapsed = (clock() - start) / 1000


def calibrate_loops(run: Work, shortest_ms: float, clock: Clock = now_ms, most: int = 2**20) -> int:
    """How often to repeat a run in one reading: the first of 1, 2, 4, 8, … whose reading is long enough.

    Args:
        run: a function without arguments.
        shortest_ms: a reading is long enough from here on, this included.
        clock: a function that gives the time in milliseconds.
        most: the largest number of repetitions that is tried.

    Raises:
        ValueError: no reading was long enough.
        what `run` raises.

    >>> readings = iter([0.0, 1.0, 1.0, 3.0])
    >>> calibrate_loops(lambda: None, shortest_ms=2.0, clock=lambda: next(readings))
    2

    Hints:
        1. A reading is: the clock, all the repetitions, the clock again. Nothing is added up from earlier readings.
        2. Which number of repetitions is the last one that may be tried when `most` is 8? And when it is 9?
    """
    loops = 1
    while loops <= most:
        start = clock()
        for _ in range(loops):
            run()
        if clock() - start >= shortest_ms:
            return loops
        loops *= 2
    raise ValueError(f"{most} repetitions take less than {shortest_ms} ms: is anything computed at all?")


def clock_tick_ms(clock: Clock = now_ms, readings: int = 50_000, steps: int = 20) -> float:
    """The smallest step that a clock was seen to make, in ms; 0.0 if it made none in so many readings."""
    smallest, before = 0.0, clock()
    for _ in range(readings):
        now = clock()
        if now > before:
            smallest, steps = min(smallest or now - before, now - before), steps - 1
            if steps == 0:
                break
        before = now
    return smallest


def repeated(run: Work, loops: int) -> Work:
    """A run that is `loops` repetitions of another, and returns what the last one did.

    >>> repeated(lambda: 7, 3)()
    7
    """

    def runs() -> object:
        for _ in range(loops - 1):
            run()
        return run()

    return runs


def steady_loops(run: Work, shortest_ms: float, clock: Clock = now_ms) -> int:
    """The largest of five answers of `calibrate_loops`: disturbances only make a reading longer.

    >>> steady_loops(lambda: None, shortest_ms=0.0)
    1
    """
    return max(calibrate_loops(run, shortest_ms, clock) for _ in range(5))


def interleaved_times(
    runs: Mapping[str, Work], rounds: int, clock: Clock = now_ms
) -> tuple[dict[str, list[float]], dict[str, Any]]:
    """Time several runs, by name, which take turns.

    In each round each run is made and timed once. The first round, the third, … go in the order of `runs`, the second,
    the fourth, … in the reversed order.

    Args:
        runs: functions without arguments, by name; at least one.
        rounds: 1 or more.
        clock: a function that gives the time in milliseconds.

    Returns:
        (times, results): by name, the times in ms in the order of the rounds; and what the last run returned.

    Raises:
        ValueError: there is nothing to time.
        what a run raises.

    >>> readings = iter([0.0, 1.0, 1.0, 3.0, 3.0, 6.0, 6.0, 10.0])
    >>> interleaved_times({"A": lambda: "a", "B": lambda: "b"}, 2, lambda: next(readings))
    ({'A': [1.0, 4.0], 'B': [2.0, 3.0]}, {'A': 'a', 'B': 'b'})

    Hints:
        1. Which of the two loops is the outer one?
        2. A list has a method that turns it round in place.
    """
    order = list(runs)
    if rounds < 1 or not order:
        raise ValueError(f"needs at least one run and one round, got {len(order)} and {rounds}")
    times: dict[str, list[float]] = {name: [] for name in order}
    results: dict[str, Any] = {}
    for _ in range(rounds):
        for name in order:
            start = clock()
            result = runs[name]()
            times[name].append(clock() - start)
            results[name] = result
        order.reverse()
    return times, results


def warmup_length(times: Sequence[float], tick_ms: float = 0.0) -> int | None:
    """How many runs at the beginning are warm-up; None where the runs have not settled in their first half.

    Args:
        times: in the order in which the runs were made; at least 12.
        tick_ms: the step of the clock, for one run.

    Raises:
        ValueError: fewer than 12 runs.

    >>> warmup_length([9.0, 4.0, 2.0, 2.0, 2.0, 2.0] + [2.0, 2.1, 1.9, 2.0, 2.1, 1.9])
    2

    Hints:
        1. First make an array of True and False: which runs are settled?
        2. Which place is the last one at which three runs in a row can begin?
    """
    if len(times) < 12:
        raise ValueError(f"12 runs are the least that can tell a warm-up, got {len(times)}")
    half = len(times) // 2
    late = np.asarray(times[half:])
    steady = np.median(late)
    spread = np.median(np.abs(late - steady))
    settled = np.abs(np.asarray(times) - steady) <= 5 * max(spread, tick_ms)
    for start in range(half - 2):
        if settled[start : start + 3].all():
            return start
    return None


def t_quantile(confidence: float, degrees: int) -> float:
    """The q for which a share `confidence` of Student's t distribution lies between -q and q.

    For whole degrees of freedom the share is a finite sum (Abramowitz and Stegun, 26.7.3 and 26.7.4); q is found by
    halving.

    >>> round(t_quantile(0.95, 9), 3), round(t_quantile(0.95, 10**4), 2)
    (2.262, 1.96)
    """
    if not 0 < confidence < 1 or degrees < 1:
        raise ValueError(f"needs a confidence between 0 and 1 and at least one degree, got {confidence} and {degrees}")
    low, high = 0.0, pi / 2
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if _share_within(middle, degrees) < confidence else (low, middle)
    return tan(low) * sqrt(degrees)


def _share_within(angle: float, degrees: int) -> float:
    """The share of the t distribution between -q and q, where q = tan(angle) * sqrt(degrees)."""
    first = degrees % 2
    term, total = cos(angle) ** first, 0.0
    for power in range(first, degrees - 1, 2):
        total += term
        term *= cos(angle) ** 2 * (power + 1) / (power + 2)
    total *= sin(angle)
    return 2 / pi * (angle + total) if first else total


def mean_interval(values: Sequence[float], confidence: float = 0.95) -> tuple[float, float]:
    """The interval of the mean of values, by Student's t.

    Returns:
        (low, high)

    Raises:
        ValueError: fewer than two values. One value does not say how it scatters.

    >>> [round(end, 3) for end in mean_interval([1.0, 2.0, 3.0])]
    [-0.484, 4.484]

    Hints:
        1. np.std divides by n where nothing else is said: look for `ddof`.
        2. How many degrees of freedom have n values? What does t_quantile say when there are none?
    """
    count = len(values)
    half = t_quantile(confidence, count - 1) * np.std(values, ddof=1) / sqrt(count)  # without a degree: ValueError
    middle = np.mean(values)
    return float(middle - half), float(middle + half)


def bootstrap_interval(
    values: Sequence[float],
    statistic: Callable[[Array], Any] = np.median,
    confidence: float = 0.95,
    resamples: int = 1000,
    seed: int = 0,
) -> tuple[float, float]:
    """The interval of a statistic of values, by the bootstrap.

    Args:
        values: at least two.
        statistic: a function from an array of values to a number.
        confidence: the share of the resampled statistics that lies inside.
        resamples: how often to draw as many values as there are, with replacement.
        seed: of `np.random.default_rng`, from which they are drawn.

    Returns:
        (low, high)

    Raises:
        ValueError: fewer than two values.

    >>> bootstrap_interval([3.0, 1.0, 2.0])
    (1.0, 3.0)

    Hints:
        1. `rng.choice(values, size)` draws with replacement. How many are to be drawn each time?
        2. Which quantiles leave out 2.5 % at each end? Which ones for any confidence? See np.quantile.
    """
    if len(values) < 2:
        raise ValueError(f"an interval needs at least two values, got {len(values)}")
    rng = np.random.default_rng(seed)
    repeats = [statistic(rng.choice(values, size=len(values))) for _ in range(resamples)]
    outside = (1 - confidence) / 2
    low, high = np.quantile(repeats, [outside, 1 - outside])
    return float(low), float(high)


def compare_times(base: Sequence[float], other: Sequence[float], confidence: float = 0.95) -> dict[str, Any]:
    """How many times as fast as `base` the `other` is, from times of runs that took turns.

    Args:
        base, other: times in ms, in pairs: the first of both are of the same round, and so on. At least two pairs.
        confidence: of the interval.

    Returns:
        speedup: the median of base / other in each pair; 2.0 says that `other` takes half the time;
        low, high: its interval (`bootstrap_interval`);
        verdict: "faster" where all of the interval is above 1, "slower" where all of it is below 1, else "cannot tell".

    Raises:
        ValueError: the times are no pairs, or one of them is not above 0: then the clock could not carry it.

    >>> compare_times([4.0, 9.0, 5.0], [2.0, 3.0, 2.0])
    {'speedup': 2.5, 'low': 2.0, 'high': 3.0, 'verdict': 'faster'}

    Hints:
        1. Which of the two goes above the line? Try it on the example.
        2. The ratios are values like any others.
    """
    if len(base) != len(other) or min(*base, *other) <= 0:
        raise ValueError("times are compared in pairs, and each is above 0")
    ratios = np.asarray(base) / np.asarray(other)
    low, high = bootstrap_interval(ratios, confidence=confidence)
    verdict = "faster" if low > 1 else "slower" if high < 1 else "cannot tell"
    return {"speedup": float(np.median(ratios)), "low": low, "high": high, "verdict": verdict}


def percentile(times: Sequence[float], percent: float, beyond: int = 5) -> float:
    """The time that `percent` of 100 runs do not exceed, if there are enough runs to say so.

    Args:
        times: in any order.
        percent: between 0 and 100, neither of them included.
        beyond: how many runs have to lie behind the rank.

    Raises:
        ValueError: there are too few runs, or `percent` is none.

    >>> percentile([7.0, 1.0, 5.0, 3.0], 50, beyond=2)
    3.0

    Hints:
        1. `ceil` is imported.
        2. Which place in a sorted list has rank 1?
    """
    if len(times) == 0 or not 0 < percent < 100:
        raise ValueError(f"a percentile of at least one run lies between 0 and 100, got {percent} of {len(times)}")
    rank = ceil(percent * len(times) / 100)
    if len(times) - rank < beyond:
        raise ValueError(f"{len(times)} runs are too few for the {percent}th percentile")
    return float(sorted(times)[rank - 1])


def slow_runs_allowed(runs: int, percent: float = 90, confidence: float = 0.99) -> int:
    """How many of so many runs may be slow if `percent` of all runs shall be quick: MLPerf's early-stopping rule.

    Args:
        runs: how many there are, up to 1000.
        percent: the percentile that is asked for.
        confidence: how sure the statement has to be.

    Returns:
        the largest t for which t slow runs or fewer have a chance of at most 1 - confidence where a run is slow with
        probability 1 - percent / 100. It is at least 1.

    Raises:
        ValueError: there is no such t from 1 on: too few runs.

    >>> slow_runs_allowed(64), slow_runs_allowed(200)
    (1, 10)

    Hints:
        1. Add up the chances of 0, 1, 2, … slow runs. When do you stop, and which number was the last good one?
        2. `comb` is imported.
    """
    slow, chance = 1 - percent / 100, 0.0
    for over in range(runs + 1):
        chance += comb(runs, over) * slow**over * (1 - slow) ** (runs - over)
        if chance > 1 - confidence:
            break
    if over < 2:
        raise ValueError(f"{runs} runs are too few for the {percent}th percentile at a confidence of {confidence}")
    return over - 1


def early_stopping_estimate(times: Sequence[float], percent: float = 90, confidence: float = 0.99) -> float:
    """A time that the true percentile does not exceed, with this confidence, as MLPerf estimates it.

    Args:
        times: in any order.
        percent, confidence: see `slow_runs_allowed`.

    Raises:
        ValueError: too few runs.

    >>> early_stopping_estimate([float(ms) for ms in range(1, 101)])
    98.0

    Hint: which place has the t-th largest in a list that rises?
    """
    return float(sorted(times)[-slow_runs_allowed(len(times), percent, confidence)])


def pareto_frontier(points: Sequence[Sequence[float]], lower_is_better: Sequence[bool]) -> list[int]:
    """Which points nobody dominates.

    Args:
        points: each a row of figures, one for each axis.
        lower_is_better: for each axis, whether less is better there.

    Returns:
        the places of the points on the front, in rising order; of equal points all or none.

    Raises:
        ValueError: no points, a figure that is no number, or rows that do not suit the axes.

    >>> pareto_frontier([(1.0, 0.9), (2.0, 0.8), (2.0, 0.95)], lower_is_better=(True, False))
    [0, 2]

    Hints:
        1. Turn the axes where more is better round, and only one case is left.
        2. "At least as good everywhere" and "better somewhere" are two questions, for all points at once.
    """
    table = np.asarray(points, dtype=np.float64)
    if table.ndim != 2 or table.shape[1] != len(lower_is_better) or np.isnan(table).any():
        raise ValueError("points are rows of numbers, one for each axis")
    cost = np.where(lower_is_better, table, -table)
    front = []
    for place, point in enumerate(cost):
        dominated = np.all(cost <= point, axis=1) & np.any(cost < point, axis=1)
        if not dominated.any():
            front.append(place)
    return front


def improvements(base: Mapping[str, float], other: Mapping[str, float]) -> dict[str, float]:
    """What a model gains on another one, as factors.

    Args:
        base, other: figures by name, the same names in both: "accuracy", where more is better, and any others, where
            less is better (latency, memory). All are above 0.

    Returns:
        accuracy_retention: other by base; and for each other name <name>_speedup: base by other. More is better in all.

    Raises:
        ValueError: the names differ, or a figure is not above 0.

    >>> improvements({"latency": 8.0, "accuracy": 0.5}, {"latency": 2.0, "accuracy": 0.25})
    {'latency_speedup': 4.0, 'accuracy_retention': 0.5}

    Hint: what should be said of a model whose latency is 0.0?
    """
    if set(base) != set(other) or not all(figure > 0 for figure in (*base.values(), *other.values())):
        raise ValueError("figures above 0 are compared, of the same names")
    return {
        "accuracy_retention" if name == "accuracy" else f"{name}_speedup": (
            other[name] / base[name] if name == "accuracy" else base[name] / other[name]
        )
        for name in base
    }


def caveats(times: Sequence[float], warmup: int | None, tick_ms: float = 0.0) -> list[str]:
    """What has to be said along with times, in the order of the table; an empty list where nothing has.

    Args:
        times: in ms, all of them, in the order of the runs.
        warmup: how many of them are warm-up, or None (`warmup_length`).
        tick_ms: the step of the clock, for one run.

    Raises:
        ValueError: no runs are left after the warm-up.

    >>> caveats([9.0, 2.0, 2.0, 2.0], warmup=1, tick_ms=0.5)
    ['few runs', 'coarse clock']

    Hint: collect pairs of a word and a truth value, and keep the words whose value is true.
    """
    runs = list(times[warmup or 0 :])
    summary = summarize_times(runs)
    late = summarize_times(runs[len(runs) // 2 :])
    early = summarize_times(runs[: len(runs) // 2] or runs)
    apart = abs(early["median_ms"] - late["median_ms"])
    rules = {
        "not settled": warmup is None,
        "few runs": len(runs) < 20,
        "coarse clock": tick_ms > summary["median_ms"] / 100,
        "outliers": summary["outliers"] > len(runs) / 20,
        "drift": apart > max(early["spread_ms"], tick_ms) + max(late["spread_ms"], tick_ms),
    }
    return [word for word, applies in rules.items() if applies]


READING_STEPS = 20  # of the clock, that a reading takes at least


class BenchmarkResult:
    """Measured values of one kind, and what they come to.

    Args:
        metric_name: what was measured, with its unit.
        values: at least one.
        metadata: whatever else is to be known.

    >>> result = BenchmarkResult("reader_latency_ms", [2.0, 3.0, 4.0])
    >>> result.median, result.count, (result.median_lower, result.median_upper)
    (3.0, 3, (2.0, 4.0))

    Raises:
        ValueError: there are no values.
    """

    ci_lower: float | None  # of the mean
    ci_upper: float | None
    median_lower: float | None
    median_upper: float | None

    def __init__(self, metric_name: str, values: Sequence[float], metadata: Mapping[str, Any] | None = None) -> None:
        if len(values) == 0:
            raise ValueError(f"{metric_name}: nothing was measured, so there is no result")
        self.metric_name, self.metadata = metric_name, dict(metadata or {})
        self.values = [float(value) for value in values]
        summary = summarize_times(self.values)
        self.count, self.median = len(values), summary["median_ms"]
        self.spread, self.outliers = summary["spread_ms"], int(summary["outliers"])
        self.mean, self.min_val, self.max_val = float(np.mean(self.values)), min(self.values), max(self.values)
        several = self.count > 1  # a single value says nothing about how it scatters
        self.std = float(np.std(self.values, ddof=1)) if several else None
        self.ci_lower, self.ci_upper = mean_interval(self.values) if several else (None, None)
        self.median_lower, self.median_upper = bootstrap_interval(self.values) if several else (None, None)

    def percentile(self, percent: float) -> float | None:
        """`percentile`, or None where there are too few values."""
        try:
            return percentile(self.values, percent)
        except ValueError:
            return None

    def to_dict(self) -> dict[str, Any]:
        """All of it, as JSON can hold it; `ci_` is the interval of the mean, `median_` that of the median."""
        names = ("mean", "std", "median", "spread", "outliers", "count")
        intervals = ("ci_lower", "ci_upper", "median_lower", "median_upper")
        return {
            "metric_name": self.metric_name,
            "values": self.values,
            **{name: getattr(self, name) for name in (*names, *intervals)},
            "min": self.min_val,
            "max": self.max_val,
            "metadata": self.metadata,
        }

    def __str__(self) -> str:
        if self.median_lower is None:
            return f"{self.metric_name}: {self.median:.4g} (n=1)"
        interval = f"{self.median_lower:.4g} to {self.median_upper:.4g}"
        return f"{self.metric_name}: median {self.median:.4g}, {interval} (n={self.count}, {self.outliers} outliers)"


class Benchmark:
    """Measures models side by side.

    Args:
        models: by name; or a list, whose models are called by their attribute `name`, or `model_0`, `model_1`, …
        datasets: pairs of inputs, the examples along the first axis, and labels.
        warmup_runs: so many rounds are left out at least; more, where `warmup_length` says so.
        measurement_runs: rounds, the warm-up included; at least 12.
        clock: gives the time in ms.

    >>> benchmark = Benchmark({"twice": lambda x: x * 2}, measurement_runs=12)
    >>> benchmark.run_latency_benchmark(input_shape=(1, 8))["twice"].median > 0
    True
    >>> benchmark.run_accuracy_benchmark()
    Traceback (most recent call last):
    ...
    ValueError: no datasets were handed over, and no accuracy is made up
    """

    def __init__(
        self,
        models: Mapping[str, Any] | Sequence[Any],
        datasets: Sequence[tuple[Any, Any]] = (),
        warmup_runs: int = 0,
        measurement_runs: int = 60,
        *,
        clock: Clock = now_ms,
    ) -> None:
        self.models, self.datasets, self.clock = _named(models), [_pair(*dataset) for dataset in datasets], clock
        self.warmup_runs, self.measurement_runs = warmup_runs, measurement_runs
        self.times: dict[str, list[float]] = {}  # of the latest latency benchmark, in rounds
        self.outputs: dict[str, Any] = {}  # what its last runs returned

    def run_latency_benchmark(self, input_shape: Shape | None = None) -> dict[str, BenchmarkResult]:
        """Times of one forward pass in ms, by model, which take turns on the same input.

        Args:
            input_shape: of random numbers; the first example of the first dataset where None.
        """
        sample, tick_ms = self._sample(input_shape), clock_tick_ms(self.clock)
        passes = {name: forward_run(model, sample) for name, model in self.models.items()}
        loops = {name: steady_loops(run, READING_STEPS * tick_ms, self.clock) for name, run in passes.items()}
        with collector_paused():
            readings, self.outputs = interleaved_times(
                {name: repeated(run, loops[name]) for name, run in passes.items()}, self.measurement_runs, self.clock
            )
        rows = {name: [reading / loops[name] for reading in readings[name]] for name in readings}
        settled = {name: warmup_length(row, tick_ms / loops[name]) for name, row in rows.items()}
        warmup = max(self.warmup_runs, *(length or 0 for length in settled.values()))
        self.times = {name: row[warmup:] for name, row in rows.items()}
        results = {}
        for name, row in rows.items():
            step = tick_ms / loops[name]
            to_say = caveats(row, None if settled[name] is None else warmup, step)
            metadata = {"warmup": warmup, "loops": loops[name], "tick_ms": step, "caveats": to_say}
            results[name] = BenchmarkResult(f"{name}_latency_ms", self.times[name], metadata)
        return results

    def run_accuracy_benchmark(self) -> dict[str, BenchmarkResult]:
        """The share of right answers, a value for each dataset, by model."""
        if not self.datasets:
            raise ValueError("no datasets were handed over, and no accuracy is made up")
        examples = sum(len(labels) for _, labels in self.datasets)
        return {
            name: BenchmarkResult(
                f"{name}_accuracy",
                [_share_right(forward_run(model, inputs)(), labels) for inputs, labels in self.datasets],
                {"examples": examples},
            )
            for name, model in self.models.items()
        }

    def run_memory_benchmark(self, input_shape: Shape | None = None) -> dict[str, BenchmarkResult]:
        """MB at the peak of a forward pass: parameters, input, and what was seen to be allocated, by model."""
        shape = self._sample(input_shape).shape
        return {
            name: BenchmarkResult(
                f"{name}_memory_mb", [Profiler().measure_memory(model, shape)["peak_memory_mb"] for _ in range(3)]
            )
            for name, model in self.models.items()
        }

    def compare_models(self, metric: str = "latency", input_shape: Shape | None = None) -> list[dict[str, Any]]:
        """A row for each model; of latencies, also how each compares with the first one.

        Raises:
            ValueError: `metric` is not latency, accuracy or memory.
        """
        measure: dict[str, Callable[[], dict[str, BenchmarkResult]]] = {
            "latency": lambda: self.run_latency_benchmark(input_shape),
            "accuracy": self.run_accuracy_benchmark,
            "memory": lambda: self.run_memory_benchmark(input_shape),
        }
        if metric not in measure:
            raise ValueError(f"latency, accuracy and memory are measured, and not {metric!r}")
        columns = ("mean", "std", "median", "ci_lower", "ci_upper", "median_lower", "median_upper", "count")
        rows: list[dict[str, Any]] = []
        for name, result in measure[metric]().items():
            row = {"model": name, "metric": metric, **{column: getattr(result, column) for column in columns}}
            if metric == "latency":
                row |= compare_times(next(iter(self.times.values())), self.times[name])
            rows.append(row)
        return rows

    def _sample(self, input_shape: Shape | None) -> Tensor:
        if input_shape is not None:
            return Tensor(np.random.default_rng(0).standard_normal(input_shape))
        if not self.datasets:
            raise ValueError("needs a dataset, or the shape of an input")
        return Tensor(self.datasets[0][0].data[:1])


def _named(models: Mapping[str, Any] | Sequence[Any]) -> dict[str, Any]:
    """Models by name."""
    if isinstance(models, Mapping):
        named = dict(models)
    else:
        named = {str(getattr(model, "name", f"model_{place}")): model for place, model in enumerate(models)}
    if not named or len(named) < len(models):
        raise ValueError("needs at least one model, and a name of its own for each")
    return named


def _pair(inputs: Any, labels: Any) -> tuple[Tensor, Array]:
    """Inputs as a Tensor and labels as an array, as many of both."""
    inputs = inputs if isinstance(inputs, Tensor) else Tensor(inputs)
    labels = np.asarray(labels.data if isinstance(labels, Tensor) else labels)
    if len(labels) == 0 or len(inputs.data) != len(labels):
        raise ValueError(f"a dataset has examples, and a label for each; got {len(inputs.data)} and {len(labels)}")
    return inputs, labels


def _share_right(output: Any, labels: Array) -> float:
    return float(np.mean(output.data.argmax(axis=-1) == labels))


def environment() -> dict[str, str]:
    """What a report has to say of the machine that it was made on.

    >>> sorted(environment())
    ['clock step', 'machine', 'multiplies with', 'numpy', 'processors', 'python']
    """
    blas = np.show_config(mode="dicts")["Build Dependencies"]["blas"]
    return {
        "python": platform.python_version(),
        "numpy": np.__version__,
        "multiplies with": str(blas.get("name", "numpy's own loops")),
        "machine": f"{platform.system()} on {platform.machine()}",
        "processors": str(os.cpu_count()),
        "clock step": f"{1e6 * clock_tick_ms():,.0f} ns",
    }


class BenchmarkSuite:
    """All figures of several models, and a report of them.

    Args:
        models, datasets, options: see `Benchmark`.
        output_dir: where what is saved goes. Nothing is written unless it is asked for.

    >>> suite = BenchmarkSuite({"twice": lambda x: x * 2}, [(np.eye(3), [0, 1, 2])], measurement_runs=24)
    >>> sorted(suite.run_full_benchmark())
    ['accuracy', 'latency', 'memory']
    >>> suite.pareto_front()
    ['twice']
    """

    lower_is_better: Mapping[str, bool] = {"latency": True, "accuracy": False, "memory": True}
    titles: Mapping[str, str] = {"latency": "latency, ms", "accuracy": "accuracy", "memory": "peak memory, MB"}

    def __init__(
        self,
        models: Mapping[str, Any] | Sequence[Any],
        datasets: Sequence[tuple[Any, Any]],
        output_dir: str = "benchmark_results",
        **options: Any,
    ) -> None:
        self.benchmark, self.output_dir = Benchmark(models, datasets, **options), Path(output_dir)

    @cached_property
    def results(self) -> dict[str, dict[str, BenchmarkResult]]:
        """By metric and model, measured when first asked for."""
        return {
            "latency": self.benchmark.run_latency_benchmark(),
            "accuracy": self.benchmark.run_accuracy_benchmark(),
            "memory": self.benchmark.run_memory_benchmark(),
        }

    def run_full_benchmark(self) -> dict[str, dict[str, BenchmarkResult]]:
        """Latency (ms), accuracy (a fraction) and memory (MB), by model. Nothing measures energy, so it is missing."""
        return self.results

    def metrics(self) -> dict[str, dict[str, float]]:
        """Medians, by model and metric."""
        return {
            name: {metric: row[name].median for metric, row in self.results.items()} for name in self.benchmark.models
        }

    def pareto_front(self, axes: Sequence[str] = ("latency", "accuracy", "memory")) -> list[str]:
        """The models that no other one dominates."""
        points = [[figures[axis] for axis in axes] for figures in self.metrics().values()]
        places = pareto_frontier(points, [self.lower_is_better[axis] for axis in axes])
        return [list(self.benchmark.models)[place] for place in places]

    def plot_results(self, save_plots: bool = False) -> None:
        """Bars of all metrics, with the intervals of their medians."""
        plt = pyplot()
        if plt is None:
            return
        figure, axes = plt.subplots(1, len(self.results), figsize=(11, 3))
        for axis, (metric, row) in zip(axes, self.results.items(), strict=True):
            for place, result in enumerate(row.values()):
                axis.barh(place, result.median, color="0.7")
                if result.median_lower is not None:
                    axis.plot([result.median_lower, result.median_upper], [place, place], color="C3", linewidth=2)
            axis.set_yticks(range(len(row)), list(row) if metric == "latency" else [""] * len(row))
            axis.set_title(self.titles[metric], fontsize=10)
        self._shown(plt, figure, "results", save_plots)

    def plot_pareto_frontier(
        self, x_metric: str = "latency", y_metric: str = "accuracy", save_plots: bool = False
    ) -> None:
        """Two metrics of each model; those on the front are joined."""
        plt = pyplot()
        if plt is None:
            return
        figures, front = self.metrics(), self.pareto_front([x_metric, y_metric])
        figure, axis = plt.subplots(figsize=(6.5, 3.6))
        for name, row in figures.items():
            axis.plot(row[x_metric], row[y_metric], "o" if name in front else "x", markersize=8, label=name)
        joined = sorted((figures[name][x_metric], figures[name][y_metric]) for name in front)
        axis.plot([x for x, _ in joined], [y for _, y in joined], color="0.6", zorder=0)
        axis.set_xlabel(self.titles[x_metric])
        axis.set_ylabel(self.titles[y_metric])
        axis.set_title("crosses are dominated by some other model", fontsize=9)
        axis.legend(fontsize=8)
        self._shown(plt, figure, f"{x_metric}_{y_metric}", save_plots)

    def generate_report(self, save: bool = False) -> str:
        """Environment, figures with intervals, comparison, front and caveats, as text."""
        lines = ["# Benchmark", "", *(f"- {name}: {value}" for name, value in environment().items()), ""]
        for row in self.results.values():
            lines += [f"- {result}" for result in row.values()]
        times = self.benchmark.times
        base = next(iter(times))
        lines += ["", f"Against {base}, in {len(times[base])} rounds that took turns:", ""]
        others = [name for name in times if name != base]
        lines += [f"- {name}: {_sentence(compare_times(times[base], times[name]))}" for name in others]
        lines += ["", f"Dominated by no other: {', '.join(self.pareto_front())}.", "", "To be said along with it:", ""]
        to_say = {name: result.metadata["caveats"] for name, result in self.results["latency"].items()}
        words_of = [f"- {name}: {', '.join(words)}" for name, words in to_say.items() if words]
        lines += words_of or ["- nothing by the rules of `caveats`"]
        examples = next(iter(self.results["accuracy"].values())).metadata["examples"]
        lines += [
            f"- {examples} examples: one of them is {100 / examples:.2f} points of accuracy",
            "- one input, one machine, one session",
        ]
        text = "\n".join(lines) + "\n"
        if save:
            self.output_dir.mkdir(parents=True, exist_ok=True)
            (self.output_dir / "report.md").write_text(text, encoding="utf-8")
        return text

    def _shown(self, plt: Any, figure: Any, name: str, save: bool) -> None:
        figure.tight_layout()
        if save:
            self.output_dir.mkdir(parents=True, exist_ok=True)
            figure.savefig(self.output_dir / f"{name}.png")
        plt.show()


def _sentence(comparison: Mapping[str, Any]) -> str:
    factors = f"{comparison['speedup']:.3f} times as fast, {comparison['low']:.3f} to {comparison['high']:.3f}"
    return f"{comparison['verdict']} ({factors})"


class TinyMLPerf:
    """Standard tasks with targets, run query by query, as MLPerf's single stream does.

    The accuracy is that of the answers that were timed. A task is run where there are data for it: the digits of module
    08 are here, for the others they have to be handed over, for none are made up.

    Args:
        random_seed: of the order of the queries.
        datasets: by task, inputs with the examples along the first axis, and labels.
        clock: gives the time in ms.

    >>> TinyMLPerf().run_standard_benchmark(lambda x: x, "keyword_spotting")
    Traceback (most recent call last):
    ...
    ValueError: no data for keyword_spotting: hand them over as datasets={'keyword_spotting': (inputs, labels)}
    """

    benchmarks: Mapping[str, Mapping[str, float]] = {
        "digit_reading": {"target_accuracy": 0.90, "target_latency_ms": 20.0},
        "keyword_spotting": {"target_accuracy": 0.90, "target_latency_ms": 100.0},
        "visual_wake_words": {"target_accuracy": 0.80, "target_latency_ms": 200.0},
        "anomaly_detection": {"target_accuracy": 0.85, "target_latency_ms": 50.0},
        "image_classification": {"target_accuracy": 0.75, "target_latency_ms": 150.0},
    }

    def __init__(
        self, random_seed: int = 42, datasets: Mapping[str, tuple[Any, Any]] | None = None, *, clock: Clock = now_ms
    ) -> None:
        self.random_seed, self.clock = random_seed, clock
        self.datasets = {"digit_reading": load_digits("test"), **(datasets or {})}

    def run_standard_benchmark(self, model: Any, benchmark_name: str, num_runs: int = 200) -> dict[str, Any]:
        """One task. Times in ms; what there are too few queries for is None, and then the latency is not met.

        Raises:
            ValueError: the task is unknown, or there are no data for it.
        """
        if benchmark_name not in self.benchmarks:
            raise ValueError(f"{benchmark_name!r} is none of {', '.join(self.benchmarks)}")
        if benchmark_name not in self.datasets:
            hint = f"datasets={{{benchmark_name!r}: (inputs, labels)}}"
            raise ValueError(f"no data for {benchmark_name}: hand them over as {hint}")
        inputs, labels = _pair(*self.datasets[benchmark_name])
        order = np.resize(np.random.default_rng(self.random_seed).permutation(len(labels)), num_runs)
        outputs, times, to_say = self._queries([forward_run(model, Tensor(inputs.data[at : at + 1])) for at in order])
        latency = BenchmarkResult(f"{benchmark_name}_latency_ms", times)
        asked = labels[order][-len(outputs) :, None]
        accuracy = float(np.mean([_share_right(output, label) for output, label in zip(outputs, asked, strict=True)]))
        targets = self.benchmarks[benchmark_name]
        estimate = _or_none(early_stopping_estimate, times)
        met = accuracy >= targets["target_accuracy"], estimate is not None and estimate <= targets["target_latency_ms"]
        return {
            "benchmark_name": benchmark_name,
            "model_name": str(getattr(model, "name", type(model).__name__)),
            "accuracy": accuracy,
            "mean_latency_ms": latency.mean,
            "std_latency_ms": latency.std,
            **{f"p{percent}_latency_ms": latency.percentile(percent) for percent in (50, 90, 99)},
            "p90_early_stopping_ms": estimate,
            "max_latency_ms": latency.max_val,
            "throughput_fps": 1000 / latency.mean if latency.mean else None,
            **targets,
            "accuracy_met": met[0],
            "latency_met": met[1],
            "compliant": all(met),
            "num_runs": latency.count,
            "caveats": to_say,
            "random_seed": self.random_seed,
        }

    def run_all_benchmarks(self, model: Any) -> dict[str, dict[str, Any]]:
        """All tasks; where one could not be run, {"error": why}."""
        results: dict[str, dict[str, Any]] = {}
        for name in self.benchmarks:
            try:
                results[name] = self.run_standard_benchmark(model, name)
            except ValueError as error:
                results[name] = {"error": str(error)}
        return results

    def generate_compliance_report(
        self, results: Mapping[str, Mapping[str, Any]], output_path: str = "tinymlperf_report.json"
    ) -> str:
        """Write environment and results as JSON to `output_path`, and return a line for each task."""
        content = {"environment": environment(), "results": results}
        Path(output_path).write_text(json.dumps(content, indent=2), encoding="utf-8")
        lines = []
        for name, result in results.items():
            verdict = "compliant" if result.get("compliant") else "not compliant"
            lines.append(f"{name}: {verdict if 'error' not in result else 'not run, ' + result['error']}")
        return "\n".join(lines)

    def _queries(self, passes: Sequence[Work]) -> tuple[list[Any], list[float], list[str]]:
        """Answers and times of the queries behind the warm-up, and what has to be said."""
        tick_ms, answers = clock_tick_ms(self.clock), []
        loops = steady_loops(passes[0], READING_STEPS * tick_ms, self.clock)
        runs = iter([repeated(query, loops) for query in passes])
        with collector_paused():
            readings, _ = interleaved_times({"query": lambda: answers.append(next(runs)())}, len(passes), self.clock)
        times = [reading / loops for reading in readings["query"]]
        warmup = warmup_length(times, tick_ms / loops)
        return answers[warmup or 0 :], times[warmup or 0 :], caveats(times, warmup, tick_ms / loops)


MLPerf = TinyMLPerf


def _or_none(call: Callable[..., float], *arguments: Any) -> float | None:
    """What a call gives, or None where it refuses."""
    try:
        return call(*arguments)
    except ValueError:
        return None


def compare_optimization_techniques(
    base_model: Any,
    optimized_models: Mapping[str, Any] | Sequence[Any],
    datasets: Sequence[tuple[Any, Any]],
    **options: Any,
) -> dict[str, Any]:
    """What cheaper models gain on the one that they were made of, all measured in turns.

    Args:
        base_model: called "base" in what is returned, unless it has a `name`.
        optimized_models, datasets, options: see `Benchmark`.

    Returns:
        base_model, base_metrics; optimized_results, by name; improvements (`improvements`) and comparisons
        (`compare_times`), by name; efficiency_metrics: accuracy by MB and by ms; front: who is dominated by nobody;
        recommendations: for four needs, a model and the reason.
    """
    base = str(getattr(base_model, "name", "base"))
    suite = BenchmarkSuite({base: base_model, **_named(optimized_models)}, datasets, **options)
    if len(suite.benchmark.models) < 1 + len(optimized_models):
        raise ValueError(f"{base!r} is the name of two models")
    figures = suite.metrics()
    others = {name: row for name, row in figures.items() if name != base}
    times = suite.benchmark.times
    return {
        "base_model": base,
        "base_metrics": figures[base],
        "optimized_results": others,
        "improvements": {name: improvements(figures[base], row) for name, row in others.items()},
        "comparisons": {name: compare_times(times[base], times[name]) for name in others},
        "efficiency_metrics": {
            name: {
                "accuracy_per_mb": row["accuracy"] / row["memory"],
                "accuracy_per_ms": row["accuracy"] / row["latency"],
            }
            for name, row in figures.items()
        },
        "front": suite.pareto_front(),
        "recommendations": _recommendations(figures, suite.pareto_front()),
    }


def _recommendations(figures: Mapping[str, Mapping[str, float]], front: Sequence[str]) -> dict[str, dict[str, str]]:
    """A model of the front for each of four needs. What is balanced is a matter of taste: here, the least product."""
    latency = {name: figures[name]["latency"] for name in front}
    memory = {name: figures[name]["memory"] for name in front}
    errors = {name: 1 - figures[name]["accuracy"] for name in front}
    product = {name: latency[name] * memory[name] * max(errors[name], 1e-3) for name in front}
    needs = {
        "for_latency_critical": (latency, "the lowest median latency"),
        "for_memory_constrained": (memory, "the lowest peak memory"),
        "for_accuracy_preservation": (errors, "the highest accuracy"),
        "for_balanced_deployment": (product, "the least product of latency, memory and errors"),
    }
    return {
        need: {"model": min(row, key=lambda name: row[name]), "reason": f"{reason} of {len(row)} on the front"}
        for need, (row, reason) in needs.items()
    }


class BenchmarkReport:
    """Figures of one model, for a submission.

    >>> report = BenchmarkReport("identity").benchmark_model(lambda x: x * 1, np.eye(3), [0, 1, 2], num_runs=24)
    >>> report["accuracy"], report["parameter_count"]
    (1.0, 0)
    """

    def __init__(self, model_name: str = "model") -> None:
        self.model_name = model_name
        self.metrics: dict[str, Any] = {}

    def benchmark_model(self, model: Any, X_test: Any, y_test: Any, num_runs: int = 100) -> dict[str, Any]:  # noqa: N803  (the public course's names)
        """Measure, keep and return: parameters, their MB as they are stored, accuracy, latency of one example."""
        benchmark = Benchmark({self.model_name: model}, [(X_test, y_test)], measurement_runs=num_runs)
        latency = benchmark.run_latency_benchmark()[self.model_name]
        parameters = model_parameters(model)
        self.metrics = {
            "parameter_count": sum(tensor.size for tensor in parameters),
            "model_size_mb": sum(tensor.nbytes for tensor in parameters) / 2**20,
            "accuracy": benchmark.run_accuracy_benchmark()[self.model_name].mean,
            "latency_ms_median": latency.median,
            "latency_ms_mean": latency.mean,
            "latency_ms_std": latency.std,
            "throughput_samples_per_sec": 1000 / latency.mean if latency.mean else None,
            "caveats": latency.metadata["caveats"],
        }
        return self.metrics


class OlympicEvent(Enum):
    """What a competition can be about."""

    LATENCY_SPRINT = "latency_sprint"
    MEMORY_CHALLENGE = "memory_challenge"
    ACCURACY_CONTEST = "accuracy_contest"
    ALL_AROUND = "all_around"
    EXTREME_PUSH = "extreme_push"


def qualifies_event(event: OlympicEvent, metrics: Mapping[str, float]) -> bool:
    """Whether measured figures are enough to take part: accuracy at least, latency (ms) and memory (MB) below a limit.

    >>> qualifies_event(OlympicEvent.EXTREME_PUSH, {"accuracy": 0.81}), qualifies_event(OlympicEvent.ALL_AROUND, {})
    (True, True)

    Raises:
        KeyError: a figure that the event asks for was not measured.
    """
    accuracy = {OlympicEvent.LATENCY_SPRINT: 0.85, OlympicEvent.MEMORY_CHALLENGE: 0.85, OlympicEvent.EXTREME_PUSH: 0.80}
    limits = {"latency": 100.0, "memory": 10.0} if event is OlympicEvent.ACCURACY_CONTEST else {}
    enough = event not in accuracy or metrics["accuracy"] >= accuracy[event]
    return enough and all(metrics[name] < limit for name, limit in limits.items())
