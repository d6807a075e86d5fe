# ---
# jupyter:
#   jupytext:
#     notebook_metadata_filter: kernelspec,jupytext,module
#     text_representation:
#       extension: .py
#       format_name: percent
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
#   module:
#     number: 19
#     name: benchmarking
#     title: Benchmarking
#     tier: Optimization
#     difficulty: 3
#     time: 5-6 hours
#     prerequisites: [Profiling, Quantization, Compression, Acceleration]
#     export: benchmarking.benchmark
#     summary: Compare models so that a sceptic believes the figures, and say what the figures cannot say.
# ---

# %% [markdown]
# # Module 19: Benchmarking
#
# Modules 15 to 18 made models cheaper. Each time a table said by how much. This module asks why anybody should believe
# such a table. You build a benchmark piece by piece, and every piece is there because a simpler one goes wrong: you see it
# go wrong first, on a simulated machine whose every habit is known, and then you write what does better.
#
# **At stake:** the reader of handwritten digits of module 17, and four cheaper ones made of it. One of them shall go on a
# device. You will have to say which, by how much it is faster, how sure that is, and what you do *not* know.
#
# | step | question | where |
# |---|---|---|
# | Profile | what does a plain stopwatch say about five readers? | part 1 |
# | Discover | how does a machine that changes while it is watched make one model beat itself? | part 1 |
# | Implement | readings, order, warm-up, intervals, percentiles, the front, what must be said | parts 2 to 6 |
# | Validate | do the intervals keep their word? Which reader is it? | part 8 |
#
# **When you are done you can**
#
# 1. take a reading that the clock can carry, and refuse one that it cannot;
# 2. compare programs on a machine that drifts, and show that the order did not decide;
# 3. find the end of a warm-up in the data;
# 4. give a median, a mean and a ratio with intervals, and check by simulation whether these keep what they promise;
# 5. refuse a percentile that there are too few runs for, and bound one as MLPerf does;
# 6. tell models that are worth choosing from those that are not, on any number of axes;
# 7. write a report that names its machine and its doubts.
#
# **What you need.** `Tensor` (module 01), `ReLU` (02), `Linear` and `Sequential` (03), `CrossEntropyLoss` (04), `SGD` (06),
# `Trainer` (07), the digits (08), the `Profiler` and its clock (14), `quantize_model` (16), pruning (17). The notebook runs
# on Python 3.11 or newer with numpy 2; the cells that draw, and nothing else, need matplotlib.
#
# **Connections**
#
# | module | gives this one | module | takes from it |
# |---|---|---|---|
# | 14 Profiling | a clock, medians, memory that is observed | 20 Capstone | times that a referee can take again |
# | 16 Quantization | a reader in 8-bit integers | 20 Capstone | accuracy of the answers that were timed |
# | 17 Compression | readers with fewer weights | 20 Capstone | a front, and a report that says its doubts |
#
# **Where the code goes.** Cells that begin with `#| export` become `tinytorch.benchmarking.benchmark` when the module is
# *exported*, that is, written to a file.
#
# **How it is graded.** 80 points by tests, 20 for two written answers. A test cell has two halves: above the line
# `### JUDGE` your code is run, below it the results are judged, elsewhere. When it is graded, further checks run on
# other inputs. The tests bring their own clock: they know what every run takes, so no verdict depends on the machine. Each
# test judges one exercise: `stand_ins` puts right answers of the earlier ones in their places while a test runs. A test
# that fails does not stop *Run all*. Cells marked **Warm-up** and **Validate** are never graded: run them, change
# them, break them.
#
# One unit, once and for all: times are in **milliseconds**. Only `elapsed` (exercise 1) is in seconds, as everywhere in
# Python.

# %% nbgrader={"grade": false, "grade_id": "setup", "locked": true, "schema_version": 3, "solution": false, "task": false}
#| export
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

from tinytorch.core.tensor import Array, Shape, Tensor
from tinytorch.data.digits import load_digits
from tinytorch.notebook import pyplot
from tinytorch.profiling.profiler import Profiler, model_parameters, summarize_times
from tinytorch.profiling.runs import Clock, Work, collector_paused, forward_run, now_ms

# %% nbgrader={"grade": false, "grade_id": "workbench", "locked": true, "schema_version": 3, "solution": false, "task": false}
import copy
import warnings

from tinytorch.core.activations import ReLU
from tinytorch.core.layers import Linear, Sequential
from tinytorch.core.losses import CrossEntropyLoss
from tinytorch.core.optimizers import SGD
from tinytorch.core.training import CosineSchedule, Trainer
from tinytorch.data.loader import DataLoader, TensorDataset
from tinytorch.notebook import refusal, stand_ins
from tinytorch.optimization.compression import fine_tune, low_rank_model, magnitude_prune, structured_prune, weights_of
from tinytorch.optimization.quantization import quantize_model


class HandClock:
    """A clock that moves only when somebody moves it: a test knows what a run takes."""

    def __init__(self, ms=0.0):
        self.ms = ms

    def __call__(self):
        return self.ms

    def advance(self, ms):
        self.ms += ms


class SimulatedMachine:
    """A machine whose habits are known: a clock, and work that moves it. Nothing on it is measured.

    Args:
        drift: by which fraction each run is slower than the one before, of what it takes on the fresh machine.
        noise: how much single runs scatter, as a fraction. Disturbances only add.
        cold: factors by which the first runs of each piece of work are slower.
        tick_ms: the smallest step that the clock shows; 0 for a clock that shows all.
    """

    def __init__(self, drift=0.0, noise=0.0, cold=(), tick_ms=0.0, seed=0):
        self.drift, self.noise, self.cold, self.tick_ms = drift, noise, cold, tick_ms
        self.rng, self.ms, self.runs = np.random.default_rng(seed), 0.0, 0

    def clock(self):
        return self.ms if not self.tick_ms else self.tick_ms * np.floor(self.ms / self.tick_ms)

    def work(self, ms):
        """A piece of work that takes so long on the fresh, warm and quiet machine."""
        earlier = []

        def run():
            start = self.cold[len(earlier)] if len(earlier) < len(self.cold) else 1.0
            earlier.append(ms)
            self.ms += ms * start * (1 + self.drift * self.runs) * (1 + self.noise * self.rng.exponential())
            self.runs += 1
            return ms

        return run

# %% [markdown]
# ## 1. Warm-up: five readers and a stopwatch
#
# ### 1.1 The readers
#
# 64 pixels in, two hidden layers of 128 and 64 units, 10 classes, trained as in module 17. And four that are made of it:
# in 8-bit integers (module 16), with nine weights of ten at zero, with half of the hidden units gone, and with thin
# matrices in place of thick ones (module 17). The pruned ones and the thin one are trained on a little.
#
# **Warm-up** (not graded): train and make them. That takes a few seconds.

# %% tags=["warmup"]
def digits():
    """Pixels and labels to learn from and to test with."""
    (images, labels), (test_images, test_labels) = load_digits("train"), load_digits("test")
    return (images.data.reshape(-1, 64), labels.data), (test_images.data.reshape(-1, 64), test_labels.data)


LEARN, TEST = digits()


def batches(seed):
    return DataLoader(TensorDataset(Tensor(LEARN[0]), Tensor(LEARN[1])), batch_size=32, shuffle=True, seed=seed)


def train(model, epochs, lr=0.1):
    """Train a model in place at a falling rate; return it."""
    schedule = CosineSchedule(max_lr=lr, min_lr=lr / 100, total_epochs=epochs)
    trainer = Trainer(model, SGD(model.parameters(), lr=lr, momentum=0.9), CrossEntropyLoss(), scheduler=schedule)
    loader = batches(19)
    for _ in range(epochs):
        trainer.train_epoch(loader)
    return model


def made_cheaper():
    """The whole reader, and four that are made of it, by name."""
    np.random.seed(19)
    whole = train(Sequential(Linear(64, 128), ReLU(), Linear(128, 64), ReLU(), Linear(64, 10)), epochs=12)
    integers, pruned = copy.deepcopy(whole), magnitude_prune(copy.deepcopy(whole), 0.9)
    quantize_model(integers, [Tensor(LEARN[0][:200])])
    optimizer, loader = SGD(pruned.parameters(), lr=0.02, momentum=0.9), batches(20)
    masks = [weight.data != 0 for weight in weights_of(pruned)]
    for _ in range(5):
        fine_tune(pruned, masks, optimizer, loader)
    half = train(structured_prune(copy.deepcopy(whole), 0.5), epochs=5, lr=0.02)
    thin = train(low_rank_model(copy.deepcopy(whole), 0.25), epochs=5, lr=0.02)
    return {"whole": whole, "integers": integers, "90 % zeros": pruned, "half the units": half, "low rank": thin}


READERS = made_cheaper()
TEST_INPUTS, TEST_LABELS = Tensor(TEST[0]), TEST[1]


def accuracy(model):
    return float(np.mean(model.forward(TEST_INPUTS).data.argmax(axis=1) == TEST_LABELS))


def milliseconds(run):
    start = now_ms()
    run()
    return now_ms() - start


digit = Tensor(TEST[0][:1])
print(f"{'reader':<16} {'reads':>7} {'one digit, ms':>14} {'again':>8} {'and again':>10}")
for name, model in READERS.items():
    times = [milliseconds(forward_run(model, digit)) for _ in range(3)]
    print(f"{name:<16} {accuracy(model):>7.1%} {times[0]:>14.3f} {times[1]:>8.3f} {times[2]:>10.3f}")

# %% [markdown]
# Suppose that the table above had only its first column of times. Put the readers in order by it, and then by each of the
# other two. Where the orders agree, was that to be expected? Where a column shows only zeros, your clock moves in steps
# that are longer than a reader takes (a browser's does): part 2 deals with that.
#
# ### 1.2 A machine that drifts
#
# A processor that gets warm slows down; a laptop that is unplugged does, too; and another program may start in the
# middle. Yours may do none of it today, so here is a **simulated** machine, which does it for everybody: each run takes
# 0.2 % longer than the one before. On it the *same* work of 5 ms is timed twice, under two names: first all runs of A,
# then all runs of B.
#
# **Predict before you run.** A and B are one and the same. After 100 runs of each, by how much will B seem slower?
#
# **Warm-up** (not graded): A, then B; and both again, taking turns. Everything here is simulated, nothing is measured.

# %% tags=["warmup"]
def one_after_the_other(machine, runs):
    a, b = machine.work(5.0), machine.work(5.0)
    times = {"A": [], "B": []}
    for name, work in (("A", a), ("B", b)):
        for _ in range(runs):
            start = machine.clock()
            work()
            times[name].append(machine.clock() - start)
    return times


def taking_turns(machine, runs):
    a, b = machine.work(5.0), machine.work(5.0)
    times = {"A": [], "B": []}
    for _ in range(runs):
        for name, work in (("A", a), ("B", b)):
            start = machine.clock()
            work()
            times[name].append(machine.clock() - start)
    return times


drifting = {
    "A, then B": one_after_the_other(SimulatedMachine(drift=0.002, noise=0.05, seed=1), 100),
    "taking turns": taking_turns(SimulatedMachine(drift=0.002, noise=0.05, seed=1), 100),
}
for way, times in drifting.items():
    a, b = (float(np.median(times[name])) for name in "AB")
    print(f"{way:<14} median of A {a:.3f} ms, of B {b:.3f} ms: B seems {b / a - 1:+.1%} slower than itself")

# %% tags=["warmup"] jupyter={"source_hidden": true}
# Warm-up (not graded): the same as a picture. Its code is folded; click on the dots to see it.
plt = pyplot()
if plt:
    figure, axes = plt.subplots(1, 2, figsize=(9, 3), sharey=True)
    for axis, (way, times) in zip(axes, drifting.items()):
        for shift, (name, row) in enumerate(times.items()):
            places = np.arange(len(row)) + shift * len(row) if way == "A, then B" else 2 * np.arange(len(row)) + shift
            axis.plot(places, row, ".", markersize=4, label=f"{name}, the same work")
            axis.hlines(np.median(row), places[0], places[-1], color=f"C{shift}", linewidth=1.5)
        axis.set_title(f"{way} (simulated)", fontsize=10)
        axis.set_xlabel("run")
        axis.legend(fontsize=8)
    axes[0].set_ylabel("ms; lines: medians")
    figure.tight_layout()
    plt.show()

# %% [markdown]
# On the left a careful person would swear that B is slower: a hundred runs each, medians, hardly any scatter. More
# runs would make it *worse*. What is wrong is the order, and no statistic that is computed afterwards can take it out again.
#
# ### 1.3 The first runs
#
# Another habit of machines: the first runs of a program are slow. Files are read, memory is fetched, caches are filled.
# Most benchmarks drop "the first five". The next cell looks at the first forty runs of the whole reader on *this* machine,
# each made of many repetitions where the clock is coarse, and beside them at a simulated one that needs twelve runs.
#
# **Predict before you run.** How many of your own runs will have to go?
#
# **Warm-up** (not graded): the first forty runs.

# %% tags=["warmup"]
def warming_up(seed, runs=40):
    """Runs of a simulated machine that is slow at first."""
    machine = SimulatedMachine(noise=0.02, cold=[3, 2.4, 2, 1.8, 1.6, 1.5, 1.4, 1.3, 1.25, 1.2, 1.15, 1.1], seed=seed)
    work, times = machine.work(5.0), []
    for _ in range(runs):
        start = machine.clock()
        work()
        times.append(machine.clock() - start)
    return times


repetitions = 50
fresh = copy.deepcopy(READERS["whole"])
read_digit = forward_run(fresh, Tensor(TEST[0][:1].copy()))
first_runs = {
    "this machine, measured": [
        milliseconds(lambda: [read_digit() for _ in range(repetitions)]) / repetitions for _ in range(40)
    ],
    "simulated": warming_up(seed=3),
}
for name, times in first_runs.items():
    late = float(np.median(times[20:]))
    ratios = " ".join(f"{ms / late:.2f}" if late else "-" for ms in times[:14])
    print(f"{name:<23} the first 14, as multiples of the median of the last 20: {ratios}")

# %% [markdown]
# "The first five" would have been too few for the simulated machine. For yours they may be too many. The number
# stands in the data, and exercise 4 reads it from there.
#
# ### 1.4 How far does a mean of ten move?
#
# Last habit: now and then a run is far too slow, because the machine had something else to do. Here a simulated machine
# disturbs one run in twenty, and the same measurement of ten runs is repeated 200 times.
#
# **Predict before you run.** Which of the three figures (mean, median, quickest) would you report? Which one says what a
# user will wait?
#
# **Warm-up** (not graded): three figures of ten runs.

# %% tags=["warmup"]
def disturbed_runs(rng, runs):
    """Times on a simulated machine: 5 ms and a little, and in one run of twenty 20 ms more."""
    return 5 + rng.exponential(0.2, size=runs) + 20 * (rng.random(runs) < 0.05)


rng = np.random.default_rng(19)
ten_at_a_time = np.array([
    [statistic(disturbed_runs(rng, 10)) for statistic in (np.mean, np.median, np.min)] for _ in range(200)
])
long_run = disturbed_runs(rng, 100_000)
print(f"{'of ten runs':<10} {'smallest':>10} {'largest':>9} {'of 100,000 runs':>16}")
for name, column, truth in zip(("mean", "median", "quickest"), ten_at_a_time.T, (long_run.mean(), np.median(long_run), long_run.min())):
    print(f"{name:<10} {column.min():>11.2f} {column.max():>9.2f} {truth:>16.2f}")
print(f"one user in a hundred waits longer than {np.percentile(long_run, 99):.1f} ms: none of the three says so")

# %% [markdown]
# A mean says what many runs take together, and ten runs do not tell it. The quickest of ten says what never happens to
# a user, and gets better the longer one tries. The median stands fast, and is silent about the slow ones. So: a
# median *with its interval*, the outliers counted, and a percentile for those who wait, from as many runs as it needs.
#
# ## 2. Readings
#
# ### Exercise 1: `precise_timer` (5 points, about 15 minutes)
#
# The smallest instrument: a block that is timed.
#
# ```python
# with precise_timer() as timer:
#     model(x)
# timer.elapsed  # seconds
# ```
#
# Two rules. As long as the block has not come to its end, there is no time: `elapsed` is `None`. And a block that raises
# has no time either: the error goes on to whoever called, and `elapsed` stays `None`. A failure that is timed looks
# like a very quick success.
#
# `Timer` (given) is what the block gets.

# %% nbgrader={"grade": false, "grade_id": "timer", "locked": true, "schema_version": 3, "solution": false, "task": false}
#| export
class Timer:
    """What `precise_timer` hands to its block; `elapsed` is None as long as there is no time to tell."""

    elapsed: float | None = None

# %% nbgrader={"grade": false, "grade_id": "precise_timer", "locked": false, "schema_version": 3, "solution": true, "task": false}
#| export
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
    ### BEGIN SOLUTION
    timer = Timer()
    start = clock()
    yield timer
    timer.elapsed = (clock() - start) / 1000
    ### END SOLUTION

# %% tags=["raises-exception"] nbgrader={"grade": true, "grade_id": "test_precise_timer", "locked": true, "points": 5, "schema_version": 3, "solution": false, "task": false}
clock = HandClock(ms=500.0)
with precise_timer(clock) as timer:
    during = timer.elapsed
    clock.advance(40.0)
after = timer.elapsed
clock.advance(9000.0)
later = timer.elapsed
### JUDGE
assert during is None, f"as long as the block runs there is no time: elapsed is None, got {during!r}"
assert isinstance(after, float) and np.isclose(after, 0.04, rtol=1e-9, atol=0), (
    f"the clock went on by 40 ms inside the block, which is 0.04 s; got {after!r}"
)
assert later == after, f"what comes after the block is not its time; elapsed became {later!r}"
### BEGIN HIDDEN TESTS
class Broken(Exception):
    pass


hand, seen = HandClock(ms=-30.0), []
with precise_timer(hand) as outer:
    hand.advance(1000.0)
    with precise_timer(hand) as inner:
        hand.advance(250.0)
    seen.append(outer.elapsed)
    hand.advance(2.0)
nested = [outer.elapsed, inner.elapsed]


def fails(message):
    """What is left of a block that raises: the error's class and text, and the time."""
    raised = []
    try:
        with precise_timer(hand) as failed:
            hand.advance(77.0)
            raise Broken(message)
    except Exception as error:
        raised += [type(error).__name__, str(error)]
    return [*raised, failed.elapsed]


failure = fails("no such digit")
with precise_timer(hand) as still:
    pass
nothing = still.elapsed
### JUDGE
assert seen == [None], "elapsed must stay None until the block has come to its end"
assert isinstance(nested, list) and len(nested) == 2 and np.allclose(nested, [1.252, 0.25], rtol=1e-9, atol=0), (
    "each block must have a timer of its own, and seconds of a clock that shows milliseconds"
)
assert failure[:2] == ["Broken", "no such digit"], "an error in the block must go on as it is"
assert failure[2:] == [None], "a block that raises must have no time"
assert nothing == 0.0, "a block in which the clock stands still takes 0 seconds"
### END HIDDEN TESTS

# %% [markdown]
# ### Exercise 2: `calibrate_loops` (6 points, about 20 minutes)
#
# Clocks move in steps, and a browser's in long ones, up to a whole millisecond. A reader needs less than that, so a
# reading says 0 or 1, and both are wrong. The remedy is old: repeat the work inside of one reading, so often that
# the reading is long against the step, and divide. How often? Try 1 repetition, then 2, 4, 8, … and take the first
# number whose reading is long enough.
#
# And work whose readings never get long enough does nothing, or the clock stands still. Refuse it: a time of nothing is
# how *dead code* (a result that nobody uses, and that was never computed) gets its beautiful figures.

# %% nbgrader={"grade": false, "grade_id": "calibrate_loops", "locked": false, "schema_version": 3, "solution": true, "task": false}
#| export
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
    ### BEGIN SOLUTION
    loops = 1
    while loops <= most:
        start = clock()
        for _ in range(loops):
            run()
        if clock() - start >= shortest_ms:
            return loops
        loops *= 2
    raise ValueError(f"{most} repetitions take less than {shortest_ms} ms: is anything computed at all?")
    ### END SOLUTION

# %% tags=["raises-exception"] nbgrader={"grade": true, "grade_id": "test_calibrate_loops", "locked": true, "points": 6, "schema_version": 3, "solution": false, "task": false}
clock, calls = HandClock(), []


def short_run():
    calls.append(1)
    assert len(calls) < 100, "15 runs are enough here"
    clock.advance(0.25)


loops = calibrate_loops(short_run, 2.0, clock)
runs_made = len(calls)
nothing_done = iter(range(1000)).__next__  # moves no clock, a thousand times
dead = refusal(lambda: calibrate_loops(nothing_done, 2.0, clock, most=64))
### JUDGE
assert loops == 8, f"8 runs of 0.25 ms take 2 ms, and 4 take too little; got {loops}"
assert runs_made == 15, f"1 + 2 + 4 + 8 = 15 runs are made to find that out, got {runs_made}"
assert dead == "ValueError", f"work that takes no time is refused with ValueError, got {dead}"
### BEGIN HIDDEN TESTS
def calibrated(lasting, shortest, most=2**20, start=0.0):
    """The number of repetitions for a run that lasts so long, and how many runs were made."""
    hand, made_runs = HandClock(start), []

    def run():
        made_runs.append(1)
        assert len(made_runs) < 1000, "far too many runs"
        hand.advance(lasting)

    try:
        answer = calibrate_loops(run, shortest, hand, most)
    except ValueError:
        answer = "ValueError"
    return [answer, len(made_runs)]


def warms_up():
    """A first run that takes long, and then short ones."""
    hand, lasts = HandClock(), [3.0]

    def run():
        hand.advance(lasts.pop() if lasts else 0.5)

    return calibrate_loops(run, 4.0, hand)


class Broken(Exception):
    pass


def broken():
    raise Broken("not a reader")


counted = [
    calibrated(5.0, 5.0), calibrated(4.0, 5.0), calibrated(0.375, 20.0, start=-7.0), calibrated(1.0, 8.0, most=8),
    calibrated(1.0, 9.0, most=8), calibrated(1.0, 9.0, most=15), calibrated(1.0, 9.0, most=16), calibrated(0.0, 1.0, most=4),
]
after_warm_up = warms_up()
in_the_run = refusal(lambda: calibrate_loops(broken, 1.0, HandClock()))
with_own_clock = calibrate_loops(lambda: sum(range(1000)), 0.0)
ticks = iter(range(2**21))
by_default = [refusal(lambda: calibrate_loops(ticks.__next__, 1.0, HandClock())), next(ticks)]
### JUDGE
assert len(counted) == 8 and counted[:3] == [[1, 1], [2, 3], [64, 127]], (
    "repetitions must be doubled until one reading is as long as asked for, and that reading alone counts"
)
assert counted[3] == [8, 15] and counted[6] == [16, 31], "as many repetitions as `most` may be tried"
assert counted[4] == ["ValueError", 15] and counted[5] == ["ValueError", 15], "more repetitions than `most` must not be tried"
assert counted[7] == ["ValueError", 7], "where a clock stands still, raise ValueError"
assert after_warm_up == 8, "a reading must not count what earlier readings took"
assert in_the_run == "Broken", "an error in the run must be raised"
assert with_own_clock == 1, "any reading is as long as 0 ms"
assert by_default == ["ValueError", 2**21 - 1], "up to 2**20 repetitions must be tried where nothing else is said"
### END HIDDEN TESTS

# %% [markdown]
# ### Given: the step of a clock
#
# `clock_tick_ms` looks for the smallest step that a clock makes; it is 0 where the clock was not seen to move. `repeated`
# makes a run of several repetitions. `steady_loops` calibrates five times and takes the largest answer: a disturbance makes a
# reading long, and then too few repetitions look like enough.

# %% nbgrader={"grade": false, "grade_id": "clock_tick", "locked": true, "schema_version": 3, "solution": false, "task": false}
#| export
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

# %% [markdown]
# **Predict before you run.** How many repetitions does a reader need on your machine for a reading of 20 steps of your
# clock? And on one whose clock moves by a whole millisecond?
#
# **Validate** (not graded): repetitions, here and on a coarse clock.

# %% tags=["validate", "raises-exception"]
TICK = clock_tick_ms()
print(f"the clock of this machine was seen to move by {1e6 * TICK:,.0f} ns")
for name, model in READERS.items():
    run = forward_run(model, digit)
    coarse = steady_loops(run, 20.0, lambda: float(np.floor(now_ms())))
    print(f"{name:<16} repetitions for 20 steps: {steady_loops(run, 20 * TICK):>5} here, {coarse:>5} on a clock of 1 ms")

# %% [markdown]
# ## 3. Runs
#
# ### Exercise 3: `interleaved_times` (8 points, about 30 minutes)
#
# Part 1.2 showed the cure: take turns, so that whatever the machine does meets all alike. One thing is left. In A B, A B,
# A B, … each B comes a little later than its A. So turn the order round every time: A B, **B A**, A B, **B A**, … Then a
# drift that goes on steadily falls on both to exactly the same amount.
#
# And keep what the runs return. An accuracy that was found on *other* runs than the ones that were timed proves nothing:
# MLPerf's referees check the answers of the timed queries, and so will you.

# %% nbgrader={"grade": false, "grade_id": "interleaved_times", "locked": false, "schema_version": 3, "solution": true, "task": false}
#| export
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
    ### BEGIN SOLUTION
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
    ### END SOLUTION

# %% tags=["raises-exception"] nbgrader={"grade": true, "grade_id": "test_interleaved_times", "locked": true, "points": 8, "schema_version": 3, "solution": false, "task": false}
clock, order, lasting = HandClock(), [], iter([1.0, 2.0, 3.0, 4.0, 5.0, 6.0])


def work_of(name):
    def run():
        order.append(name)
        clock.advance(next(lasting))
        return f"{name}{len(order)}"

    return run


times, results = interleaved_times({"A": work_of("A"), "B": work_of("B")}, 3, clock)
times = {name: [float(ms) for ms in row] for name, row in times.items()}
nothing = refusal(lambda: interleaved_times({}, 3, clock))
### JUDGE
assert order == ["A", "B", "B", "A", "A", "B"], (
    f"in three rounds of A and B the runs are A B, B A, A B, so that a steady drift meets both alike; got {order}"
)
assert times == {"A": [1.0, 4.0, 5.0], "B": [2.0, 3.0, 6.0]}, (
    f"each run is timed by itself, its times in the order of the rounds; got {times}"
)
assert results == {"A": "A5", "B": "B6"}, f"what the last run of each returned is asked for, got {results}"
assert nothing == "ValueError", f"where there is nothing to time, raise ValueError, got {nothing}"
### BEGIN HIDDEN TESTS
class Broken(Exception):
    pass


def in_turns(names, rounds, cost):
    """Order, times and results of runs that take `cost(number of the run)`, on a clock of this test's."""
    hand, turns = HandClock(1e6), []

    def run_of(name):
        def run():
            turns.append(name)
            hand.advance(cost(len(turns)))
            return [name, len(turns)]

        return run

    taken, last = interleaved_times({name: run_of(name) for name in names}, rounds, hand)
    return ["".join(turns), {name: [float(ms) for ms in row] for name, row in taken.items()}, last]


def breaks():
    raise Broken("no reading")


three = in_turns("PQR", 3, lambda number: float(number))
alone = in_turns("Z", 4, lambda number: 0.5 * number * number)
drift = in_turns("AB", 40, lambda number: 8.0 + number / 8)
drift_sums = [float(sum(row)) for row in drift[1].values()]
single = in_turns("NM", 1, lambda number: 2.0 ** -number)
refused = [
    refusal(lambda: interleaved_times({"A": len}, 0, HandClock())),
    refusal(lambda: interleaved_times({"A": len}, -2, HandClock())),
    refusal(lambda: interleaved_times({}, 1, HandClock())),
]
raised = refusal(lambda: interleaved_times({"A": lambda: 1, "B": breaks}, 2, HandClock()))
### JUDGE
assert three[:1] == ["PQRRQPPQR"], "every round must hold each run once, and every second round must go in the reversed order"
assert three[1:2] == [{"P": [1.0, 6.0, 7.0], "Q": [2.0, 5.0, 8.0], "R": [3.0, 4.0, 9.0]}], (
    "each run must be timed by itself, and its times must stand under its name, in the order of the rounds"
)
assert three[2:] == [{"P": ["P", 7], "Q": ["Q", 8], "R": ["R", 9]}], "results must be what the last, timed runs returned"
assert alone == ["ZZZZ", {"Z": [0.5, 2.0, 4.5, 8.0]}, {"Z": ["Z", 4]}], "a single run must be timed in every round"
assert len(drift_sums) == 2 and drift_sums[0] == drift_sums[1] == 40 * 8.0 + 3240 / 16, (
    "a steady drift must fall on both runs to the same amount"
)
assert single == ["NM", {"N": [0.5], "M": [0.25]}, {"N": ["N", 1], "M": ["M", 2]}], "a single round must go in the order of the runs"
assert refused == ["ValueError"] * 3, "no rounds or no runs must raise ValueError"
assert raised == "Broken", "an error in a run must be raised, never timed"
### END HIDDEN TESTS

# %% [markdown]
# ### Exercise 4: `warmup_length` (8 points, about 35 minutes)
#
# How many runs at the beginning do not count? Let the second half of the runs say what is normal, and look for the place
# from which on the first half looks like it:
#
# - the *late* runs are the second half; of an odd number, the run in the middle is among them;
# - their median is the steady time, and their spread is the median of their distances from it (as in module 14);
# - a run is **settled** if it is no farther from the steady time than 5 times the spread, *on either side*. Where a coarse
#   clock makes the spread smaller than its own step, the step counts in its place;
# - the warm-up lasts until the first three settled runs in a row. All three have to lie in the first half. Where no three
#   do, the runs have not settled: there is no number to give, and the answer is `None`. It is no guess.
#
# On either side: a processor may begin quick and slow down when it gets warm. That is a warm-up, too.

# %% nbgrader={"grade": false, "grade_id": "warmup_length", "locked": false, "schema_version": 3, "solution": true, "task": false}
#| export
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
    ### BEGIN SOLUTION
    if len(times) < 12:
        raise ValueError(f"12 runs are the least that can tell a warm-up, got {len(times)}")
    half = len(times) // 2
    late = np.asarray(times[half:])
    steady = np.median(late)
    ### EQUIVALENT b6b6f3fa by histories: a distance has no sign
    spread = np.median(np.abs(late - steady))
    ### EQUIVALENT afdfbee3 by histories: a distance has no sign
    settled = np.abs(np.asarray(times) - steady) <= 5 * max(spread, tick_ms)
    for start in range(half - 2):
        if settled[start : start + 3].all():
            return start
    return None
    ### END SOLUTION

# %% tags=["raises-exception"] nbgrader={"grade": true, "grade_id": "test_warmup_length", "locked": true, "points": 8, "schema_version": 3, "solution": false, "task": false}
late = [4.0, 4.5, 3.5, 4.0, 4.5, 3.5, 4.0, 4.5, 3.5, 4.0]
cold = [20.0, 9.0, 4.0, 6.75, 4.25, 3.75, 4.0, 4.5, 3.5, 4.0]
lengths = [warmup_length(cold + late), warmup_length(late + late), warmup_length([9.0] * 10 + late)]
few = refusal(lambda: warmup_length(late))
### JUDGE
assert len(lengths) == 3, f"three answers are asked for, got {lengths}"
assert lengths[0] == 4, (
    "steady are 4 ms with a spread of 0.5, so what is farther from 4 than 2.5 is not settled: 20, 9 and 6.75 are not, and "
    f"between them 4.0 stands alone; the first three in a row begin after 4 runs; got {lengths[0]}"
)
assert lengths[1] == 0, f"runs that look alike from the beginning have no warm-up, got {lengths[1]}"
assert lengths[2] is None, f"ten runs of 9 ms and then ten of 4 have not settled in their first half, got {lengths[2]}"
assert few == "ValueError", f"10 runs are too few, so ValueError, got {few}"
### BEGIN HIDDEN TESTS
steady = [8.0, 9.0, 7.0, 8.0, 8.5, 7.5, 8.0, 9.0, 7.0, 8.0]
cases = [
    ([3.0, 2.9, 3.0, 8.0, 9.0, 7.0, 8.0, 8.0, 8.0, 8.0] + steady, 0.0),
    ([10.5, 8.0, 8.0, 8.0, 8.0, 8.0, 8.0, 8.0, 8.0, 8.0] + steady, 0.0),
    ([10.75, 8.0, 8.0, 8.0, 8.0, 8.0, 8.0, 8.0, 8.0, 8.0] + steady, 0.0),
    ([20.0, 8.0, 8.0, 20.0, 8.0, 8.0, 20.0, 8.0, 8.0, 8.0] + steady, 0.0),
    ([20.0, 8.0, 8.0, 20.0, 8.0, 8.0, 20.0, 20.0, 8.0, 8.0] + steady, 0.0),
    ([21.0, 21.0, 20.0, 20.0, 20.0, 20.0, 20.0] + [20.0] * 7, 0.0),
    ([26.0, 25.0, 20.0, 20.0, 20.0, 20.0, 20.0] + [20.0] * 7, 1.0),
    ([26.0, 26.0, 25.0, 20.0, 15.0, 20.0, 20.0] + [20.0] * 7, 1.0),
    ([30.0, 30.0, 30.0, 9.0, 8.0, 7.0] + steady[:7], 0.0),
    ([8.0, 8.0, 8.0, 8.0, 8.0, 8.0, 8.0, 8.0, 8.0, 8.0] + [8.0, 9.0, 7.0, 8.0, 90.0, 7.5, 8.0, 9.0, 7.0, 80.0], 0.0),
    ([30.0, 30.0, 30.0, 30.0, 8.0, 8.0] + [8.0] * 6, 0.0),
    ([5.0] * 12, 0.0),
    ([10.75, 8.0, 8.0, 8.0, 8.0, 8.0, 8.0, 8.0, 8.0, 8.0] + steady, 0.25),
    ([30.0, 30.0, 30.0, 30.0, 8.0, 8.0] + steady[:7], 0.0),
    ([60.0, 60.0, 8.0, 8.0, 8.0, 8.0, 8.0, 8.0, 8.0, 8.0] + [8.0, 9.0, 7.0, 8.0, 90.0, 7.5, 8.0, 9.0, 7.0, 80.0], 0.0),
    ([3.75, 8.0, 8.0, 8.0, 8.0, 8.0] + [6.0, 8.0, 8.0, 9.0, 10.0, 10.0], 0.0),
    ([13.25, 8.0, 8.0, 8.0, 8.0, 8.0] + [6.0, 8.0, 8.0, 9.0, 10.0, 10.0], 0.0),
    ([8.0, 8.0, 8.0, 20.0, 8.0, 8.0, 8.0, 8.0, 8.0, 8.0] + steady, 0.0),
    ([14.0, 8.0, 8.0, 8.0, 8.0, 8.0] + [6.0, 8.0, 8.0, 9.0, 10.0, 10.0], 0.0),
    ([18.0, 10.0, 10.0, 10.0, 10.0, 10.0, 10.0, 10.0] + [6.0, 12.0, 7.0, 11.0, 7.0, 10.0, 8.0, 10.0, 10.0], 0.0),
]
lengths_seen = [warmup_length(times, tick) for times, tick in cases]
handed = [9.0, 4.0] + [2.0, 3.0] * 6
warmup_length(handed)
left_behind = [float(ms) for ms in handed]
as_array = warmup_length(np.array([9.0, 9.0] + [2.0, 2.5, 3.0] * 6))
without_tick = warmup_length([21.0, 20.0, 20.0, 20.0, 20.0, 20.0, 20.0] + [20.0] * 7)
too_few = [refusal(lambda: warmup_length([1.0] * 11)), refusal(lambda: warmup_length([]))]
### JUDGE
assert isinstance(lengths_seen, list) and len(lengths_seen) == 20, "warmup_length must return one number, or None"
assert lengths_seen[0] == 3, "runs that are too quick are not settled either"
assert lengths_seen[1] == 0 and lengths_seen[2] == 1 and lengths_seen[12] == 1, (
    "a run must be settled up to 5 times the spread of the late runs, and no farther"
)
assert lengths_seen[3] == 7 and lengths_seen[4] is None and lengths_seen[10] is None, (
    "three settled runs in a row must lie in the first half, or there is no answer but None"
)
assert lengths_seen[5] == 2 and lengths_seen[11] == 0 and without_tick == 1, "where the spread is 0, settled runs are as long as the steady ones"
assert lengths_seen[6:8] == [1, 2], "where the step of the clock is larger than the spread, 5 steps must be allowed"
assert lengths_seen[8] == 3 and lengths_seen[13] is None, "of an odd number, the run in the middle belongs to the late ones"
assert lengths_seen[15:17] == [0, 0] and lengths_seen[18:] == [1, 0], "all of the second half must say what is steady"
assert lengths_seen[17] == 0, "three settled runs in a row are enough"
assert lengths_seen[9] == 0 and lengths_seen[14] == 2, "medians must not be moved by single late runs that are far too slow"
assert left_behind == [9.0, 4.0] + [2.0, 3.0] * 6, "warmup_length must not change what it is given, not even its order"
assert as_array == 2, "an array of times must do as well as a list"
assert too_few == ["ValueError"] * 2, "fewer than 12 runs must raise ValueError"
### END HIDDEN TESTS

# %% [markdown]
# **Predict before you run.** What will your function say about the two rows of part 1.3? And about a machine that gets
# slower and slower, and never stops?
#
# **Validate** (not graded): warm-ups, found.

# %% tags=["validate", "raises-exception"]
for name, times in first_runs.items():
    step = TICK / repetitions if name.startswith("this") else 0.0
    print(f"{name:<23} warm-up: {warmup_length(times, step)} runs")
settled_after = [warmup_length(warming_up(seed, runs=100)) for seed in range(200)]
print(f"the simulated machine, 200 times: from {min(map(int, settled_after))} to {max(map(int, settled_after))}, in the middle {np.median(settled_after):.0f} (it slows the first 12 down)")
drifts = SimulatedMachine(drift=0.02, noise=0.02)
endless, _ = interleaved_times({"A": drifts.work(5.0)}, 60, drifts.clock)
print(f"a machine that drifts by 2 % with each run: {warmup_length(endless['A'])}")

# %% [markdown]
# The last line is a number, although that machine never settles. The function looks for a beginning that is *unlike the rest*,
# and on a steady drift everything is unlike everything. No figure sees all there is to see: exercise 13 compares the two halves
# of the runs, and catches what this one lets pass.

# %% [markdown]
# ## 4. Figures, and how sure they are
#
# ### Exercise 5: `mean_interval` (6 points, about 20 minutes)
#
# Of $n$ values with mean $m$ and standard deviation $s$ (dividing by $n-1$), the mean itself scatters by about
# $s/\sqrt n$. The interval
#
# $$m \pm q \cdot \frac{s}{\sqrt n}$$
#
# shall contain the true mean in 95 of 100 repetitions. Every table says $q = 1.96$. That is right if $s$ is *known*. It
# is not: it was taken from the same few values, and is often too small. Student's t makes up for it: $q$ depends on
# the degrees of freedom, $n-1$, and is given here as `t_quantile(confidence, degrees)`.
#
# **Predict before you run.** How much wider than with 1.96 is the interval of ten values? Of three?

# %% nbgrader={"grade": false, "grade_id": "t_quantile", "locked": true, "schema_version": 3, "solution": false, "task": false}
#| export
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

# %% nbgrader={"grade": false, "grade_id": "mean_interval", "locked": false, "schema_version": 3, "solution": true, "task": false}
#| export
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
    ### BEGIN SOLUTION
    count = len(values)
    half = t_quantile(confidence, count - 1) * np.std(values, ddof=1) / sqrt(count)  # without a degree: ValueError
    middle = np.mean(values)
    return float(middle - half), float(middle + half)
    ### END SOLUTION

# %% tags=["raises-exception"] nbgrader={"grade": true, "grade_id": "test_mean_interval", "locked": true, "points": 6, "schema_version": 3, "solution": false, "task": false}
ends = [float(end) for end in mean_interval([4.0, 6.0, 5.0, 5.0, 4.0, 6.0, 5.0, 5.0, 4.0, 6.0])]
with warnings.catch_warnings(action="ignore"):  # numpy may warn of nothing to divide by, on the way to the error
    single = refusal(lambda: mean_interval([5.0]))
### JUDGE
assert len(ends) == 2, f"two ends are asked for, got {ends}"
assert np.isclose(ends[0] + ends[1], 10.0, rtol=1e-9), f"the interval lies around the mean, 5; got {ends}"
assert np.isclose(ends[1] - 5.0, 0.584122, rtol=1e-4, atol=0), (
    "s is 0.8165, by the root of 10 that is 0.2582, and t at 9 degrees of freedom is 2.262, not 1.96: half of the interval is "
    f"0.584; got {ends[1] - 5.0:.4f}"
)
assert single == "ValueError", f"one value has no interval, so ValueError, got {single}"
### BEGIN HIDDEN TESTS
rows = [[3.0, 7.0], [0.25, 0.5, -4.0, 8.0], list(np.random.default_rng(1905).normal(100, 3, size=61)), [2.5, 2.5, 2.5]]
by_default = [[float(end) for end in mean_interval(row)] for row in rows]
wide = [[float(end) for end in mean_interval(row, 0.99)] for row in rows]
narrow = [[float(end) for end in mean_interval(row, confidence=0.5)] for row in rows]
as_array = [float(end) for end in mean_interval(np.array(rows[1]))]
with warnings.catch_warnings(action="ignore"):
    nothing = refusal(lambda: mean_interval([]))
### JUDGE
T = {0.95: [12.706205, 3.182446, 2.000298, 4.302653], 0.99: [63.656741, 5.840909, 2.660283, 9.924843], 0.5: [1.0, 0.764892, 0.678601, 0.816497]}
for share, answers in ((0.95, by_default), (0.99, wide), (0.5, narrow)):
    want = [
        [np.mean(row) - q * np.std(row, ddof=1) / len(row) ** 0.5, np.mean(row) + q * np.std(row, ddof=1) / len(row) ** 0.5]
        for row, q in zip(rows, T[share], strict=True)
    ]
    assert np.shape(answers) == (4, 2) and np.allclose(answers, want, rtol=1e-5, atol=1e-9), (
        "the interval must be the mean, and t at n - 1 degrees of freedom times s by the root of n to either side, at any confidence"
    )
assert len(as_array) == 2 and np.allclose(as_array, by_default[1]), "an array of values must do as well as a list"
assert nothing == "ValueError", "no values must raise ValueError"
### END HIDDEN TESTS

# %% [markdown]
# ### Exercise 6: `bootstrap_interval` (8 points, about 30 minutes)
#
# For a median there is no formula as handy. The **bootstrap** (Efron, 1979) needs none. Take the values at hand for all
# there are, and repeat the measurement with them: draw $n$ values *with replacement*, take the median, and do that a thousand
# times. How these thousand medians scatter is how far the median can be trusted. For a confidence of 95 %, leave out
# 2.5 % of them at each end; what is left reaches from the low end of the interval to its high end.
#
# The function takes any statistic. And the same call gives the same interval each time: it draws from
# `np.random.default_rng(seed)`, and leaves everybody else's random numbers alone.

# %% nbgrader={"grade": false, "grade_id": "bootstrap_interval", "locked": false, "schema_version": 3, "solution": true, "task": false}
#| export
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
    ### BEGIN SOLUTION
    if len(values) < 2:
        raise ValueError(f"an interval needs at least two values, got {len(values)}")
    rng = np.random.default_rng(seed)
    repeats = [statistic(rng.choice(values, size=len(values))) for _ in range(resamples)]
    outside = (1 - confidence) / 2
    low, high = np.quantile(repeats, [outside, 1 - outside])
    return float(low), float(high)
    ### END SOLUTION

# %% tags=["raises-exception"] nbgrader={"grade": true, "grade_id": "test_bootstrap_interval", "locked": true, "points": 8, "schema_version": 3, "solution": false, "task": false}
seven = [13.0, 11.0, 40.0, 12.0, 10.0, 15.0, 14.0]
of_median = [float(end) for end in bootstrap_interval(seven)]
of_half = [float(end) for end in bootstrap_interval(seven, confidence=0.5)]
of_largest = [float(end) for end in bootstrap_interval(seven, statistic=np.max)]
again = [float(end) for end in bootstrap_interval(seven)]
single = refusal(lambda: bootstrap_interval([5.0]))
### JUDGE
assert of_median == [11.0, 15.0], (
    "in order the seven values are 10, 11, 12, 13, 14, 15, 40. The median of seven drawn ones is 10 in 1 of 100 cases, and "
    f"11 or less in 10 of 100: 2.5 of 100 ends at 11, and on the other side at 15; got {of_median}"
)
assert of_half == [12.0, 14.0], f"the middle half of the medians reaches from 12 to 14, got {of_half}"
assert of_largest == [14.0, 40.0], (
    f"40 is among seven drawn values in 66 of 100 cases, and 14 or less is the largest in 4 of 100; got {of_largest}"
)
assert again == of_median, "the same call gives the same interval each time"
assert single == "ValueError", f"one value has no interval, so ValueError, got {single}"
### BEGIN HIDDEN TESTS
many = list(np.random.default_rng(1906).normal(50, 4, size=40))
skewed = np.random.default_rng(1907).exponential(2.0, size=60)
of_mean = [float(end) for end in bootstrap_interval(many, np.mean, 0.95, 2000)]
of_mean_wide = [float(end) for end in bootstrap_interval(many, np.mean, 0.99, 2000)]
of_spread = [float(end) for end in bootstrap_interval(skewed, lambda sample: sample.max() - sample.min(), 0.5)]
sizes = []


def noting(sample):
    sizes.append(len(sample))
    return float(sample.sum())


sums = [float(end) for end in bootstrap_interval([1.0, 2.0, 4.0, 8.0, 16.0], statistic=noting, confidence=0.8, resamples=300)]
sizes_seen = [len(sizes), sorted(set(sizes))]
seeds = [[float(end) for end in bootstrap_interval(many, np.mean, 0.9, 200, seed)] for seed in (0, 0, 1)]
np.random.seed(5)
bootstrap_interval(many)
drawn_next = float(np.random.random())
alike = [float(end) for end in bootstrap_interval([3.0, 3.0])]
left_over = [4.0, 1.0, 3.0]
bootstrap_interval(left_over)
left_behind = [float(value) for value in left_over]
nothing = refusal(lambda: bootstrap_interval([]))
### JUDGE
step = np.std(many) / 40**0.5
assert len(of_mean) == 2 and np.allclose(of_mean, [np.mean(many) - 1.96 * step, np.mean(many) + 1.96 * step], rtol=0, atol=0.25 * step), (
    "as many values must be drawn as there are, with replacement, and 2.5 % left out at each end"
)
assert len(of_mean_wide) == 2 and np.allclose(of_mean_wide, [np.mean(many) - 2.576 * step, np.mean(many) + 2.576 * step], rtol=0, atol=0.4 * step), (
    "more confidence must leave out less, at both ends"
)
assert len(of_spread) == 2 and of_spread[0] < of_spread[1] <= skewed.max() - skewed.min() and of_spread[0] > 0.4 * skewed.max(), (
    "any statistic must do, and it must be asked about each sample as a whole"
)
assert sizes_seen == [300, [5]], "the statistic must be asked as often as `resamples` says, about as many values as there are"
assert len(sums) == 2 and 14 <= sums[0] <= 18 and 44 <= sums[1] <= 50, "values must be drawn with replacement, and each as often as any other"
assert np.shape(seeds) == (3, 2) and np.allclose(seeds, [[np.mean(many) - 1.645 * step, np.mean(many) + 1.645 * step]] * 3, rtol=0, atol=0.6 * step), (
    "any confidence and any number of resamples must do"
)
assert seeds[0] == seeds[1] != seeds[2], "the seed must decide what is drawn"
assert np.isclose(drawn_next, 0.22199317108973948, rtol=1e-12), "the global random numbers of others must be left alone"
assert alike == [3.0, 3.0], "values that are all alike have an interval of one point"
assert left_behind == [4.0, 1.0, 3.0], "the values that are handed over must not be changed, not even their order"
assert nothing == "ValueError", "no values must raise ValueError"
### END HIDDEN TESTS

# %% [markdown]
# ### Exercise 7: `compare_times` (7 points, about 25 minutes)
#
# How many times as fast is a model? Two medians and their quotient would do, but how sure is it? Runs that took turns come in **pairs**:
# whatever slowed the machine down in a round slowed both. So take the ratio *in each round*, and of these ratios the
# median, with its interval. What all the rounds have in common falls out.
#
# And there is a third answer besides faster and slower. As long as the interval contains 1, you **cannot tell**.

# %% nbgrader={"grade": false, "grade_id": "compare_times", "locked": false, "schema_version": 3, "solution": true, "task": false}
#| export
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
    ### BEGIN SOLUTION
    if len(base) != len(other) or min(*base, *other) <= 0:
        raise ValueError("times are compared in pairs, and each is above 0")
    ratios = np.asarray(base) / np.asarray(other)
    low, high = bootstrap_interval(ratios, confidence=confidence)
    verdict = "faster" if low > 1 else "slower" if high < 1 else "cannot tell"
    return {"speedup": float(np.median(ratios)), "low": low, "high": high, "verdict": verdict}
    ### END SOLUTION

# %% [markdown]
# The test has five pairs at the most. Of so few ratios, the interval at 95 % reaches from the smallest to the largest.

# %% tags=["raises-exception"] nbgrader={"grade": true, "grade_id": "test_compare_times", "locked": true, "points": 7, "schema_version": 3, "solution": false, "task": false}
def from_least_to_most(values, *rest, **options):
    """The bootstrap interval of a median of up to five values, at 95 %."""
    return min(map(float, values)), max(map(float, values))


with stand_ins(bootstrap_interval=from_least_to_most):
    drifted = compare_times([10.0, 20.0, 30.0, 40.0, 50.0], [5.0, 8.0, 10.0, 20.0, 20.0])
    unclear = compare_times([5.0, 6.0, 5.0], [5.5, 5.0, 4.0])
    uneven = refusal(lambda: compare_times([5.0, 6.0, 5.0], [5.5, 5.0]))
speedup, low, high = (float(drifted[key]) for key in ("speedup", "low", "high"))
verdicts = [drifted["verdict"], unclear["verdict"]]
### JUDGE
assert speedup == 2.5, f"the ratios of the pairs are 2, 2.5, 3, 2 and 2.5, their median is 2.5; got {speedup}"
assert [low, high] == [2.0, 3.0], f"the interval of these ratios reaches from 2 to 3, got {[low, high]}"
assert verdicts == ["faster", "cannot tell"], (
    f"all of the first interval is above 1; the second one contains 1, so one cannot tell; got {verdicts}"
)
assert uneven == "ValueError", f"three times and two are no pairs, so ValueError, got {uneven}"
### BEGIN HIDDEN TESTS
def whole_range(values, *rest, **options):
    return min(map(float, values)), max(map(float, values))


def in_short(base, other):
    """The four answers in a row."""
    with stand_ins(bootstrap_interval=whole_range):
        answer = compare_times(base, other)
    return [float(answer["speedup"]), float(answer["low"]), float(answer["high"]), answer["verdict"]]


comparisons = [
    in_short([3.0, 3.0, 9.0], [4.0, 6.0, 10.0]), in_short([2.0, 8.0], [2.0, 4.0]), in_short([2.0, 4.0], [2.0, 8.0]),
    in_short([100.0, 1.0, 10.0, 1000.0], [80.0, 0.8, 8.0, 500.0]), in_short(np.array([6.0, 5.0]), np.array([6.0, 5.0])),
]
asked = []


def asked_for(values, statistic=np.median, confidence=0.95, resamples=1000, seed=0):
    asked.append([float(confidence), sorted(map(float, values)), float(statistic([1.0, 2.0, 9.0]))])
    return 1.25, 1.5


with stand_ins(bootstrap_interval=asked_for):
    passed_on = compare_times([3.0, 8.0], [2.0, 4.0], 0.5)
    passed_on_by_name = compare_times([3.0, 8.0], [2.0, 4.0], confidence=0.75)
    by_default = compare_times([3.0, 8.0], [2.0, 4.0])
ends = [[float(answer["low"]), float(answer["high"])] for answer in (passed_on, passed_on_by_name, by_default)]
keys = sorted(passed_on)
with stand_ins(bootstrap_interval=whole_range):
    refused = [
        refusal(lambda: compare_times([5.0, 0.0, 5.0], [5.5, 5.0, 4.0])), refusal(lambda: compare_times([5.0, 6.0, 5.0], [5.5, 0.0, 4.0])),
        refusal(lambda: compare_times([5.0, -6.0, 5.0], [5.5, 5.0, 4.0])), refusal(lambda: compare_times([5.0, 5.0], [5.5, 5.0, 4.0])),
    ]
### JUDGE
assert isinstance(comparisons, list) and len(comparisons) == 5 and comparisons[0] == [0.75, 0.5, 0.9, "slower"], (
    "where the other takes longer in every pair, the speedup must be below 1, and the verdict slower"
)
assert comparisons[1] == [1.5, 1.0, 2.0, "cannot tell"] and comparisons[2] == [0.75, 0.5, 1.0, "cannot tell"], (
    "an interval that ends at 1 contains it, on either side"
)
assert comparisons[3] == [1.25, 1.25, 2.0, "faster"], "the ratio must be taken in each pair, and of the ratios the median"
assert comparisons[4] == [1.0, 1.0, 1.0, "cannot tell"], "of the same times nothing can be told"
assert asked == [[0.5, [1.5, 2.0], 2.0], [0.75, [1.5, 2.0], 2.0], [0.95, [1.5, 2.0], 2.0]], (
    "the interval must be that of the median of the ratios, at the confidence that was asked for"
)
assert ends == [[1.25, 1.5]] * 3, "low and high must be the ends that bootstrap_interval gives"
assert keys == ["high", "low", "speedup", "verdict"], "the keys are speedup, low, high and verdict"
assert refused == ["ValueError"] * 4, "times that are no pairs, or not above 0, must raise ValueError"
### END HIDDEN TESTS

# %% [markdown]
# ### Validate: do intervals keep their word?
#
# "95 %" is a promise, and a simulated machine can hold you to it, for there the truth is known. The next cell repeats a
# measurement many times, and counts how often the interval contains the truth.
#
# **The ablation that must fail**: the same interval of the mean with 1.96 in the place of t. If it kept its promise just as well, t would
# be a decoration.
#
# **Predict before you run.** In how many of 100 repetitions does the interval with 1.96 miss, with five values each?
#
# **Validate** (not graded): coverage, on a simulated machine.

# %% tags=["validate", "raises-exception"]
def coverage(interval, runs, repetitions=2000, seed=19):
    """The share of simulated measurements whose interval contains the true mean, 10."""
    rng, inside = np.random.default_rng(seed), 0
    for _ in range(repetitions):
        low, high = interval(rng.normal(10, 1, size=runs))
        inside += low <= 10 <= high
    return inside / repetitions


def with_196(values):
    half = 1.96 * np.std(values, ddof=1) / np.sqrt(len(values))
    return np.mean(values) - half, np.mean(values) + half


print(f"{'runs':>5} {'Student t':>10} {'1.96':>7} {'bootstrap of the median':>24}   promised: 95 %")
kept_by = {}
for runs in (5, 10, 30):
    kept_by[runs] = [
        coverage(mean_interval, runs), coverage(with_196, runs),
        coverage(lambda values: bootstrap_interval(values, resamples=200), runs, repetitions=60),
    ]
    print(f"{runs:>5} {kept_by[runs][0]:>10.1%} {kept_by[runs][1]:>7.1%} {kept_by[runs][2]:>24.1%}")
in_the_band = all(0.93 <= row[0] <= 0.97 for row in kept_by.values())
print(f"t keeps its promise within 2 points: {'yes' if in_the_band else 'NO'};  "
      f"1.96 at five runs is {100 * (kept_by[5][0] - kept_by[5][1]):.1f} points short of it")
print("(the bootstrap's column has 60 repetitions each: one of them is 1.7 points)")

# %% [markdown]
# And the comparison. Three simulated machines: a quiet one, one that drifts, and one that is disturbed now and then. On each, A against
# itself, and A against something that is really 5 % faster; one after the other, and taking turns. **A against itself is
# the control**: who finds a winner there, finds one anywhere.
#
# **Predict before you run.** In which rows will A beat itself?
#
# **Validate** (not graded): two orders, three machines.

# %% tags=["validate", "raises-exception"]
def measured_apart(machine, ms_a, ms_b, rounds):
    a, _ = interleaved_times({"A": machine.work(ms_a)}, rounds, machine.clock)
    b, _ = interleaved_times({"B": machine.work(ms_b)}, rounds, machine.clock)
    return a["A"], b["B"]


def measured_in_turns(machine, ms_a, ms_b, rounds):
    times, _ = interleaved_times({"A": machine.work(ms_a), "B": machine.work(ms_b)}, rounds, machine.clock)
    return times["A"], times["B"]


HABITS = {"quiet": (0.0, 0.02), "drifts": (0.002, 0.02), "disturbed": (0.0, 0.3)}
print(f"{'machine (simulated)':<20} {'order':<14} {'A against itself':<36} {'A against what is 5 % faster'}")
for habit, (drift, noise) in HABITS.items():
    for order, measure in (("A, then B", measured_apart), ("taking turns", measured_in_turns)):
        told_apart = []
        for ms_b in (5.0, 5.0 / 1.05):
            answer = compare_times(*measure(SimulatedMachine(drift, noise, seed=7), 5.0, ms_b, 60))
            told_apart.append(f"{answer['verdict']:<12} {answer['speedup']:.3f} ({answer['low']:.3f} to {answer['high']:.3f})")
        print(f"{habit:<20} {order:<14} {told_apart[0]:<36} {told_apart[1]}")

# %% [markdown]
# ## 5. Those who wait
#
# ### Exercise 8: `percentile` (5 points, about 15 minutes)
#
# The 99th percentile is the time that 99 of 100 runs do not exceed. From ten runs nobody can know it: numpy gives a number
# all the same, a little below the largest of the ten. So this function counts first:
#
# - the times in order, the percentile is the one at **rank** $\lceil p\,n/100 \rceil$, counted from 1. It is a time that was
#   really measured; nothing is interpolated;
# - at least `beyond` runs have to lie behind that rank. Else the answer would hang on a handful of runs, and it is refused.

# %% nbgrader={"grade": false, "grade_id": "percentile", "locked": false, "schema_version": 3, "solution": true, "task": false}
#| export
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
    ### BEGIN SOLUTION
    if len(times) == 0 or not 0 < percent < 100:
        raise ValueError(f"a percentile of at least one run lies between 0 and 100, got {percent} of {len(times)}")
    rank = ceil(percent * len(times) / 100)
    if len(times) - rank < beyond:
        raise ValueError(f"{len(times)} runs are too few for the {percent}th percentile")
    return float(sorted(times)[rank - 1])
    ### END SOLUTION

# %% tags=["raises-exception"] nbgrader={"grade": true, "grade_id": "test_percentile", "locked": true, "points": 5, "schema_version": 3, "solution": false, "task": false}
forty = [float(number) for number in range(40, 0, -1)]
answers = [percentile(forty, 50), percentile(forty, 87.5), percentile(forty, 81)]
ten = refusal(lambda: percentile(forty[:10], 99))
next_to_last = refusal(lambda: percentile(forty, 88))
### JUDGE
assert answers == [20.0, 35.0, 33.0], (
    "of the times 1 to 40, 50 % do not exceed 20, 87.5 % do not exceed 35, and for 81 % the rank is 32.4, rounded up 33; "
    f"got {answers}"
)
assert ten == "ValueError", f"ten runs say nothing about the 99th percentile, so ValueError, got {ten}"
assert next_to_last == "ValueError", f"for 88 % the rank is 36, and only four runs lie behind it: ValueError, got {next_to_last}"
### BEGIN HIDDEN TESTS
numbers = np.random.default_rng(1908).permutation(700) / 4
cases = [(numbers, 99), (numbers, 99.25), (list(numbers), 0.5), (list(numbers[:100]), 95), (list(numbers[:19]), 70)]
values = [float(percentile(times, percent)) for times, percent in cases]
loose = [float(percentile([4.0, 9.0, 6.0], percent, 0)) for percent in (1, 34, 67, 99)] + [float(percentile([2.0], 50, beyond=0))]
strict = [refusal(lambda: percentile(forty, 50, 20)), refusal(lambda: percentile(forty, 50, beyond=21))]
refused = [
    refusal(lambda: percentile(numbers[:499], 99)), refusal(lambda: percentile([], 50)), refusal(lambda: percentile([], 50, 0)),
    refusal(lambda: percentile(forty, 0)), refusal(lambda: percentile(forty, 100, 0)), refusal(lambda: percentile(forty, -10)),
    refusal(lambda: percentile(forty, 101, -5)),
]
just_enough = refusal(lambda: percentile(numbers[:500], 99))
handed = [5.0, 2.0, 4.0, 1.0, 3.0, 6.0, 7.0]
percentile(handed, 20)
left_behind = [float(ms) for ms in handed]
### JUDGE
want = [sorted(times)[-(-int(4 * percent * len(times)) // 400) - 1] for times, percent in cases]
assert values == want, "the percentile must be the time at rank p * n / 100, rounded up, in order"
assert loose == [4.0, 6.0, 9.0, 9.0, 2.0], "where no run has to lie behind, the rank must be the same"
assert strict == ["no error", "ValueError"], "as many runs as `beyond` must lie behind the rank"
assert refused[:1] == ["ValueError"] and just_enough == "no error", "five runs must lie behind the rank where nothing else is said"
assert refused[1:3] == ["ValueError"] * 2, "no runs must raise ValueError"
assert refused[3:] == ["ValueError"] * 4, "what lies not between 0 and 100 is no percentile, and must raise ValueError"
assert left_behind == [5.0, 2.0, 4.0, 1.0, 3.0, 6.0, 7.0], "percentile must not change what it is given"
### END HIDDEN TESTS

# %% [markdown]
# ### Exercise 9: `slow_runs_allowed` (7 points, about 30 minutes)
#
# MLPerf asks for the 90th percentile, and for a statement that holds with 99 % confidence. How many runs does that take?
# Turn the question round. Suppose that the machine is just *not* good enough: a run is slow with a probability of
# $q = 1 - p$ (here 0.1). Then the number of slow ones among $n$ runs is binomial, and the chance to see at most $t$ of them is
#
# $$\sum_{k=0}^{t} \binom{n}{k} q^k (1-q)^{n-k}$$
#
# If that is at most 1 %, seeing so few is no luck, and the machine may be called good enough. So for given $n$: the
# **largest** $t$ for which the sum is at most $1 - c$. MLPerf demands that $t$ is at least 1; that is why its single-stream
# runs have at least 64 queries.

# %% nbgrader={"grade": false, "grade_id": "slow_runs_allowed", "locked": false, "schema_version": 3, "solution": true, "task": false}
#| export
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
    ### BEGIN SOLUTION
    slow, chance = 1 - percent / 100, 0.0
    ### EQUIVALENT 8e537470 by binomials: all of them are slow at most, and that is certain
    for over in range(runs + 1):
        chance += comb(runs, over) * slow**over * (1 - slow) ** (runs - over)
        if chance > 1 - confidence:
            break
    if over < 2:
        raise ValueError(f"{runs} runs are too few for the {percent}th percentile at a confidence of {confidence}")
    return over - 1
    ### END SOLUTION

# %% tags=["raises-exception"] nbgrader={"grade": true, "grade_id": "test_slow_runs_allowed", "locked": true, "points": 7, "schema_version": 3, "solution": false, "task": false}
allowed = [slow_runs_allowed(64), slow_runs_allowed(1000)]
too_few = refusal(lambda: slow_runs_allowed(63))
median_of_twenty = slow_runs_allowed(20, percent=50, confidence=0.95)
### JUDGE
assert len(allowed) == 2, f"two answers are asked for, got {allowed}"
assert allowed[0] == 1, (
    "of 64 runs at most 1 is slow with a chance of 0.0096, and at most 2 with 0.037; only the first is within 0.01, so 1 is "
    f"allowed; got {allowed[0]}"
)
assert allowed[1] == 78, f"of 1000 runs 78 may be slow, got {allowed[1]}"
assert too_few == "ValueError", f"of 63 runs at most 1 is slow with a chance of 0.0105, which is too much: ValueError, got {too_few}"
assert median_of_twenty == 5, (
    f"of 20 coins at most 5 show heads with a chance of 0.021, and at most 6 with 0.058; 0.05 allows 5, got {median_of_twenty}"
)
### BEGIN HIDDEN TESTS
cases = [(100, 90, 0.99), (1000, 99, 0.99), (662, 99, 0.99), (300, 50, 0.5), (11, 50, 0.95), (29, 90, 0.5), (500, 97, 0.9), (8, 50, 0.95)]
limits = [slow_runs_allowed(runs, percent, confidence) for runs, percent, confidence in cases]
refused = [
    refusal(lambda: slow_runs_allowed(0)), refusal(lambda: slow_runs_allowed(44)), refusal(lambda: slow_runs_allowed(1)),
    refusal(lambda: slow_runs_allowed(661, 99)), refusal(lambda: slow_runs_allowed(100, 99, 0.5)), refusal(lambda: slow_runs_allowed(7, 50, 0.95)),
]
by_default = [slow_runs_allowed(runs) for runs in (80, 81, 200)]
### JUDGE
def chance_of_at_most(slow, runs, percent):
    quick = percent / 100
    return sum(comb(runs, k) * (1 - quick) ** k * quick ** (runs - k) for k in range(slow + 1))


assert isinstance(limits, list) and len(limits) == len(cases) and all(str(limit).isdigit() for limit in limits), (
    "slow_runs_allowed must return a whole number"
)
for (runs, percent, confidence), limit in zip(cases, limits, strict=True):
    assert chance_of_at_most(limit, runs, percent) <= 1 - confidence, "so many slow runs must not be likely on a machine that is not good enough"
    assert chance_of_at_most(limit + 1, runs, percent) > 1 - confidence, "one more slow run must be too many: the largest number is asked for"
assert by_default == [1, 2, 10], "where nothing is said, the 90th percentile is asked for, at a confidence of 0.99"
assert refused == ["ValueError"] * 6, "where not even one slow run may be allowed, raise ValueError"
### END HIDDEN TESTS

# %% [markdown]
# ### Exercise 10: `early_stopping_estimate` (4 points, about 15 minutes)
#
# With $t$ from exercise 9, MLPerf's estimate is the **t-th largest** of the measured times: $t-1$ are left out, and the
# largest that is left is reported. (For 2,048 queries $t$ is 173, and its load generator writes "Would discard 172 highest latency
# queries".) The true percentile is not above that, with 99 % confidence.

# %% nbgrader={"grade": false, "grade_id": "early_stopping_estimate", "locked": false, "schema_version": 3, "solution": true, "task": false}
#| export
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
    ### BEGIN SOLUTION
    return float(sorted(times)[-slow_runs_allowed(len(times), percent, confidence)])
    ### END SOLUTION

# %% tags=["raises-exception"] nbgrader={"grade": true, "grade_id": "test_early_stopping_estimate", "locked": true, "points": 4, "schema_version": 3, "solution": false, "task": false}
with stand_ins(slow_runs_allowed=lambda runs, percent=90, confidence=0.99: {100: 4, 64: 1}[runs]):
    of_hundred = early_stopping_estimate([float(ms) for ms in range(100, 0, -1)])
    of_64 = early_stopping_estimate([3.0] * 40 + [8.0] + [5.0] * 23)
### JUDGE
assert of_hundred == 97.0, f"4 of 100 runs may be slow: the fourth largest of the times 1 to 100 is 97, got {of_hundred}"
assert of_64 == 8.0, f"1 of 64 runs may be slow: the largest is reported, got {of_64}"
### BEGIN HIDDEN TESTS
questions = []


def answered(runs, percent=90, confidence=0.99):
    questions.append([int(runs), float(percent), float(confidence)])
    if runs < 20:
        raise ValueError("too few")
    return 3 if percent == 90 else 6


shuffled = np.random.default_rng(1910).permutation(25) / 8
with stand_ins(slow_runs_allowed=answered):
    estimates = [
        float(early_stopping_estimate(shuffled)), float(early_stopping_estimate(list(shuffled), 75)),
        float(early_stopping_estimate(shuffled, percent=60, confidence=0.75)),
    ]
    too_few = refusal(lambda: early_stopping_estimate([1.0] * 19))
handed = [5.0, 2.0] * 10
with stand_ins(slow_runs_allowed=lambda *rest, **options: 2):
    early_stopping_estimate(handed)
left_behind = [float(ms) for ms in handed]
### JUDGE
assert estimates == [22 / 8, 19 / 8, 19 / 8], "the estimate must be the t-th largest of the times, in any order"
assert questions == [[25, 90.0, 0.99], [25, 75.0, 0.99], [25, 60.0, 0.75], [19, 90.0, 0.99]], (
    "how many runs may be slow must be asked for as many runs as there are, and for the percentile and the confidence asked for"
)
assert too_few == "ValueError", "too few runs must raise ValueError"
assert left_behind == [5.0, 2.0] * 10, "the times that are handed over must not be changed"
### END HIDDEN TESTS

# %% [markdown]
# **Predict before you run.** 200 simulated runs, over and over. How often does numpy's 90th percentile lie below the
# true one? How often does MLPerf's estimate?
#
# **Validate** (not graded): who promises too much?

# %% tags=["validate", "raises-exception"]
rng = np.random.default_rng(1919)
truth = float(np.percentile(disturbed_runs(rng, 400_000), 90))
allowed = slow_runs_allowed(200)
too_good = {"numpy's percentile": 0, "early stopping": 0}
for _ in range(1000):
    times = disturbed_runs(rng, 200)
    too_good["numpy's percentile"] += np.percentile(times, 90) < truth
    too_good["early stopping"] += np.sort(times)[-allowed] < truth
print(f"the true 90th percentile of the simulated machine is {truth:.3f} ms; of 200 runs {allowed} may be slower")
for name, count in too_good.items():
    print(f"{name:<19} promises too much in {count / 1000:.1%} of 1,000 repetitions")
print(f"early stopping promised to do so in 1 % at most: {'kept' if too_good['early stopping'] <= 20 else 'NOT kept'} (within what 1,000 repetitions can tell)")
for runs in (10, 50, 100, 500):
    answers = [refusal(lambda: percentile(times[:runs] if runs <= 200 else disturbed_runs(rng, runs), share)) for share in (50, 90, 99)]
    print(f"{runs:>4} runs: " + ", ".join(f"p{share} {'can be told' if answer == 'no error' else 'is refused'}" for share, answer in zip((50, 90, 99), answers)))

# %% [markdown]
# ## 6. Choosing, and saying what is not known
#
# ### Exercise 11: `pareto_frontier` (7 points, about 30 minutes)
#
# One reader is smaller, another one faster, a third reads better. Which is best depends on who asks; but some can be
# struck off without asking anybody. A point **dominates** another one if it is at least as good on every axis, and
# better on at least one. What nobody dominates is the **front**.
#
# Two points that are alike on every axis do not dominate each other: both stay, or both go. And a figure that is no
# number (`nan`: it was not measured) compares with nothing, so it would stay on every front. It is refused.

# %% nbgrader={"grade": false, "grade_id": "pareto_frontier", "locked": false, "schema_version": 3, "solution": true, "task": false}
#| export
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
    ### BEGIN SOLUTION
    ### EQUIVALENT 9b7937c9 by fronts: figures are Python's numbers, whole ones compare alike
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
    ### END SOLUTION

# %% tags=["raises-exception"] nbgrader={"grade": true, "grade_id": "test_pareto_frontier", "locked": true, "points": 7, "schema_version": 3, "solution": false, "task": false}
readers = [(4.0, 0.97), (1.0, 0.93), (2.0, 0.93), (2.0, 0.95), (2.0, 0.95), (5.0, 0.96)]
front = [int(place) for place in pareto_frontier(readers, (True, False))]
worst = [int(place) for place in pareto_frontier(readers, (False, True))]
not_measured = refusal(lambda: pareto_frontier([(1.0, float("nan")), (2.0, 0.5)], (True, False)))
### JUDGE
assert front == [0, 1, 3, 4], (
    "place 2 is as accurate as place 1 and slower, place 5 is slower and less accurate than place 0; places 3 and 4 are "
    f"alike, so both stay: 0, 1, 3, 4; got {front}"
)
assert worst == [2, 5], f"with both axes turned round the front is 2, 5; got {worst}"
assert not_measured == "ValueError", f"a figure that is no number is refused with ValueError, got {not_measured}"
### BEGIN HIDDEN TESTS
rng = np.random.default_rng(1911)
clouds = [
    (rng.integers(0, 7, size=(40, 3)) / 2, (True, True, False)), (rng.integers(0, 4, size=(30, 4)) * 1.0, (False, True, False, True)),
    (rng.normal(size=(50, 2)), (True, True)), (np.array([[3.0], [1.0], [2.0], [1.0]]), (True,)), (np.array([[3.0], [1.0], [3.0]]), (False,)),
    (np.array([[7.0, 7.0]] * 3), (True, False)), (np.array([[1.0, np.inf], [2.0, 5.0], [3.0, np.inf]]), (True, True)),
    (np.array([[10.0, 1.0], [9.0, 2.0], [8.0, 3.0], [7.0, 4.0]]), (True, True)),
    (np.array([[16777216.0, 1.0], [16777217.0, 1.0]]), (True, True)),
]
fronts = [[int(place) for place in pareto_frontier(cloud.tolist(), axes)] for cloud, axes in clouds]
as_array = [int(place) for place in pareto_frontier(clouds[0][0], np.array(clouds[0][1]))]
whole_numbers = [int(place) for place in pareto_frontier([(3, 1), (2, 2), (2, 3)], [True, True])]
refused = [
    refusal(lambda: pareto_frontier([], (True, False))), refusal(lambda: pareto_frontier([(1.0, 2.0, 3.0)], (True, False))),
    refusal(lambda: pareto_frontier([(1.0,), (2.0,)], (True, False))), refusal(lambda: pareto_frontier([(np.nan, 1.0)], (True, True))),
    refusal(lambda: pareto_frontier([1.0, 2.0], (True, True))), refusal(lambda: pareto_frontier([(1.0, 2.0), (1.0,)], (True, True))),
]
### JUDGE
def nobody_better(rows, axes):
    turned = [[value if low else -value for value, low in zip(row, axes, strict=True)] for row in rows.tolist()]
    return [
        at for at, row in enumerate(turned)
        if not any(all(a <= b for a, b in zip(other, row)) and other != row for other in turned)
    ]


want = [nobody_better(rows, axes) for rows, axes in clouds]
assert isinstance(fronts, list) and len(fronts) == len(want), "pareto_frontier must return a list of places"
assert fronts[2] == want[2], "what is better on one axis and worse on none dominates, and nothing else does"
assert fronts[3:6] == want[3:6], "equal points must stay or go together, on a single axis too"
assert fronts[:2] == want[:2], "any number of axes must do, each in its own direction, and ties must be looked at on every axis"
assert fronts[6] == want[6], "an infinite figure is a number, and a bad one where less is better"
assert fronts[7] == want[7], "where every point is best at something, all must stay"
assert fronts[8] == want[8], "figures that differ little must be told apart"
assert as_array == want[0] and whole_numbers == [0, 1], "arrays, lists and whole numbers must do as well"
assert refused == ["ValueError"] * 6, "no points, no numbers, and rows that do not suit the axes must raise ValueError"
### END HIDDEN TESTS

# %% [markdown]
# ### Exercise 12: `improvements` (4 points, about 15 minutes)
#
# A model took 8 ms and now takes 2: it is 4 *times as fast*, old by new. It read 0.9 of the digits and reads 0.81: it has
# *kept* 0.9 of that, new by old. Public tables mix the two up; the capstone of one course prints its speed-ups upside
# down. Write it once, and refuse what is no figure.

# %% nbgrader={"grade": false, "grade_id": "improvements", "locked": false, "schema_version": 3, "solution": true, "task": false}
#| export
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
    ### BEGIN SOLUTION
    if set(base) != set(other) or not all(figure > 0 for figure in (*base.values(), *other.values())):
        raise ValueError("figures above 0 are compared, of the same names")
    return {
        "accuracy_retention" if name == "accuracy" else f"{name}_speedup": (
            other[name] / base[name] if name == "accuracy" else base[name] / other[name]
        )
        for name in base
    }
    ### END SOLUTION

# %% tags=["raises-exception"] nbgrader={"grade": true, "grade_id": "test_improvements", "locked": true, "points": 4, "schema_version": 3, "solution": false, "task": false}
gains = improvements({"latency": 6.0, "memory": 3.0, "accuracy": 0.8}, {"latency": 4.0, "memory": 12.0, "accuracy": 0.6})
gains = {name: float(factor) for name, factor in gains.items()}
unmeasured = refusal(lambda: improvements({"latency": 6.0, "accuracy": 0.8}, {"latency": 4.0}))
### JUDGE
assert sorted(gains) == ["accuracy_retention", "latency_speedup", "memory_speedup"], f"the names are not the ones asked for: {sorted(gains)}"
assert gains["latency_speedup"] == 1.5, f"6 ms became 4: 1.5 times as fast, got {gains['latency_speedup']}"
assert gains["memory_speedup"] == 0.25, f"3 MB became 12: a quarter, got {gains['memory_speedup']}"
assert np.isclose(gains["accuracy_retention"], 0.75), f"0.6 of what was 0.8: 0.75 is kept, got {gains['accuracy_retention']}"
assert unmeasured == "ValueError", f"an accuracy that was not measured is no accuracy: ValueError, got {unmeasured}"
### BEGIN HIDDEN TESTS
others = improvements({"energy": 10.0, "accuracy": 0.5, "first_answer": 3.0}, {"accuracy": 1.0, "energy": 4.0, "first_answer": 24.0})
factors = {name: float(factor) for name, factor in others.items()}
alone = {name: float(factor) for name, factor in improvements({"size": 7.0}, {"size": 2.0}).items()}
refused = [
    refusal(lambda: improvements({"latency": 1.0}, {"latency": 0.0})), refusal(lambda: improvements({"latency": 0.0}, {"latency": 1.0})),
    refusal(lambda: improvements({"latency": 1.0}, {"latency": -2.0})), refusal(lambda: improvements({"latency": np.nan}, {"latency": 2.0})),
    refusal(lambda: improvements({"latency": 1.0}, {"latency": 2.0, "memory": 1.0})), refusal(lambda: improvements({"latency": 1.0, "memory": 1.0}, {"latency": 2.0})),
]
### JUDGE
assert factors == {"energy_speedup": 2.5, "accuracy_retention": 2.0, "first_answer_speedup": 0.125}, (
    "whatever is named must be compared, accuracy as new by old, and all else as old by new"
)
assert alone == {"size_speedup": 3.5}, "a single figure must do"
assert refused == ["ValueError"] * 6, "figures that are missing, not above 0, or no numbers must raise ValueError"
### END HIDDEN TESTS

# %% [markdown]
# ### Exercise 13: `caveats` (5 points, about 25 minutes)
#
# A report says what its figures do not say, and it does not depend on the mood of its writer what is mentioned. Five
# rules, each with a word that stands for it:
#
# | word | when |
# |---|---|
# | `not settled` | no end of the warm-up was found: `warmup` is `None` |
# | `few runs` | fewer than 20 runs are left after the warm-up |
# | `coarse clock` | the clock's step is more than a hundredth of the median |
# | `outliers` | more than one run in twenty is an outlier (`summarize_times` of module 14 counts them) |
# | `drift` | the median of the first half of the runs and that of the rest are farther apart than the spreads of the two together |
#
# All but the first look at the runs that are left after the warm-up; where none was found, at all of them. `summarize_times`
# gives `median_ms`, `spread_ms` and `outliers`. For `drift`, where the clock's step is larger than one of the spreads, it counts
# in the place of that. Of an odd number of runs, the one in the middle belongs to the rest; a single run does not drift.

# %% nbgrader={"grade": false, "grade_id": "caveats", "locked": false, "schema_version": 3, "solution": true, "task": false}
#| export
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
    ### BEGIN SOLUTION
    runs = list(times[warmup or 0 :])
    summary = summarize_times(runs)
    ### EQUIVALENT 0ab36252 by reports: so many from the end is the same place
    late = summarize_times(runs[len(runs) // 2 :])
    ### EQUIVALENT 718b118d by reports: so many from the end is the same place
    early = summarize_times(runs[: len(runs) // 2] or runs)
    ### EQUIVALENT 72d12026 by reports: a distance has no sign
    apart = abs(early["median_ms"] - late["median_ms"])
    rules = {
        "not settled": warmup is None,
        "few runs": len(runs) < 20,
        "coarse clock": tick_ms > summary["median_ms"] / 100,
        "outliers": summary["outliers"] > len(runs) / 20,
        "drift": apart > max(early["spread_ms"], tick_ms) + max(late["spread_ms"], tick_ms),
    }
    return [word for word, applies in rules.items() if applies]
    ### END SOLUTION

# %% tags=["raises-exception"] nbgrader={"grade": true, "grade_id": "test_caveats", "locked": true, "points": 5, "schema_version": 3, "solution": false, "task": false}
calm = [50.0, 51.0, 49.0, 50.5, 49.5] * 5
to_say = [
    caveats(calm, 0), caveats([90.0, 80.0, *calm[:18]], 2), caveats(calm, 0, tick_ms=0.75), caveats(calm, None),
    caveats([70.0, 70.0, *calm], 0), caveats([48.0, 47.5, 48.5] * 4 + [50.5, 50.0, 51.0] * 4, 0),
]
### JUDGE
assert len(to_say) == 6, f"six lists are asked for, got {to_say}"
assert to_say[0] == [], f"25 calm runs: nothing has to be said, got {to_say[0]}"
assert to_say[1] == ["few runs"], f"two of 20 runs are warm-up, and 18 are few, got {to_say[1]}"
assert to_say[2] == ["coarse clock"], f"a step of 0.75 ms is more than a hundredth of 50 ms, got {to_say[2]}"
assert to_say[3] == ["not settled"], f"no end of the warm-up was found, got {to_say[3]}"
assert to_say[4] == ["outliers"], f"2 of 27 runs are far off, which is more than one in twenty, got {to_say[4]}"
assert to_say[5] == ["drift"], f"the first half is at 48 ms and the rest at 50.5, each with a spread of 0.5, got {to_say[5]}"
### BEGIN HIDDEN TESTS
quiet = [80.0, 82.0, 78.0, 81.0, 79.0]
rows = [
    (quiet * 4, 0, 0.8), (quiet * 4, 0, 0.8125), (quiet * 4, 1, 0.0), ([200.0] + quiet * 4, 1, 0.0), ([200.0] * 2 + quiet * 4, 1, 0.0),
    ([200.0, 200.0] + quiet * 4, 0, 0.0), ([200.0] + quiet * 4 + [81.0] * 2, 0, 0.0), ([2.0] * 3 + quiet * 2, None, 3.0),
    ([78.0, 79.0, 80.0] * 4 + [80.0, 81.0, 82.0] * 4, 0, 0.0), ([78.0, 79.0, 80.0] * 4 + [80.5, 81.5, 82.5] * 4, 0, 0.0),
    ([80.0] * 10 + [80.5] * 11, 0, 0.0), ([80.0] * 10 + [80.5] * 11, 0, 0.3), ([300.0] * 9 + quiet * 5, 9, 0.0), ([5.0], 0, 0.0), ([5.0, 5.0], None, 9.0),
    ([78.0, 80.0, 82.0] * 4 + [83.0, 83.25, 82.75] * 4, 0, 0.0), (quiet * 3 + [80.0] * 3 + [200.0] * 1 + [80.0], 0, 0.0),
    ([80.0, 79.0, 81.0] * 7 + [90.0] * 2 + [80.0], 0, 0.0), ([80.0] * 10 + [84.0] * 11, 0, 1.75), ([80.0] * 10 + [84.0] * 11, 0, 2.0),
    ([83.0, 83.25, 82.75] * 4 + [78.0, 80.0, 82.0] * 4, 0, 0.5), ([83.0, 83.5, 82.5] * 4 + [77.75, 79.75, 81.75] * 4, 0, 1.0),
    ([83.0, 83.5, 82.5] * 4 + [80.0, 78.0, 82.0] * 4, 0, 1.0), ([80.0] * 10 + [90.0] + [90.0] * 10, 0, 4.0),
    ([80.0, 80.0, 80.0, 90.0, 90.0], None, 0.0), ([80.0, 80.0, 90.0, 90.0] + [88.0] * 4, 0, 0.0), (quiet * 4, 0, 0.804),
    (quiet * 7 + [80.0] * 2 + [200.0] * 2, 0, 0.0), ([5.0, 9.0], 0, 0.0), ([88.0] * 4 + [80.0, 80.0, 90.0, 90.0], 0, 0.0),
]
answers = [caveats(times, warmup, tick) for times, warmup, tick in rows]
as_array = caveats(np.array([200.0] + quiet * 5), 1, 0.9)
nothing_left = [refusal(lambda: caveats(quiet, 5)), refusal(lambda: caveats([], None)), refusal(lambda: caveats([], 0))]
### JUDGE
def word_by_word(times, warmup, tick):
    left = times if warmup is None else times[warmup:]
    middle = np.median(left)
    spread = np.median(np.abs(np.array(left) - middle))
    far = int(np.sum(np.abs(np.array(left) - middle) > 5 * spread))
    half = len(left) // 2
    parts = [np.array(left[:half]), np.array(left[half:])] if half else [np.array(left)] * 2
    centres = [np.median(part) for part in parts]
    room = sum(max(np.median(np.abs(part - centre)), tick) for part, centre in zip(parts, centres))
    rules = [warmup is None, len(left) < 20, 100 * tick > middle, 20 * far > len(left), abs(centres[0] - centres[1]) > room]
    words = ["not settled", "few runs", "coarse clock", "outliers", "drift"]
    return [word for word, applies in zip(words, rules, strict=True) if applies]


want = [word_by_word(*row) for row in rows]
assert isinstance(answers, list) and len(answers) == len(want), "caveats must return a list of words"
assert answers[:2] == want[:2] and answers[26] == want[26], "a clock's step of a hundredth of the median is fine, and more is not"
assert answers[2:5] == want[2:5] and answers[12] == want[12], "the rules must look at the runs that are left after the warm-up, and 20 of them are enough"
assert answers[5:7] == want[5:7] and answers[16:18] == want[16:18] and answers[27] == want[27], "one run in twenty may be an outlier, and more may not"
assert answers[8:12] == want[8:12] and answers[15] == want[15] and answers[18:26] == want[18:26] and answers[28:] == want[28:], (
    "two halves may lie apart by their spreads together, the clock's step in the place of a smaller spread, and no farther"
)
assert answers[7] == want[7] and answers[13:15] == want[13:15], "several words must stand in the order of the table, and a single run is enough to ask"
assert as_array == ["coarse clock"], "an array of times must do as well as a list"
assert nothing_left == ["ValueError"] * 3, "where no runs are left, raise ValueError"
### END HIDDEN TESTS

# %% [markdown]
# ## 7. Put together (given)
#
# Nothing in the following classes is new: they run models, call your functions, and name the results. Read them once, to
# know what stands behind each figure. All runs of a comparison get the same input and take turns, an error is raised, and
# what was not measured is not there: where there are no data, there is no accuracy, and as nothing here measures energy, no
# table has any.

# %% nbgrader={"grade": false, "grade_id": "benchmark_result", "locked": true, "schema_version": 3, "solution": false, "task": false}
#| export
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

# %% nbgrader={"grade": false, "grade_id": "benchmark", "locked": true, "schema_version": 3, "solution": false, "task": false}
#| export
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

# %% nbgrader={"grade": false, "grade_id": "benchmark_suite", "locked": true, "schema_version": 3, "solution": false, "task": false}
#| export
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

# %% nbgrader={"grade": false, "grade_id": "tiny_mlperf", "locked": true, "schema_version": 3, "solution": false, "task": false}
#| export
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

# %% nbgrader={"grade": false, "grade_id": "comparisons", "locked": true, "schema_version": 3, "solution": false, "task": false}
#| export
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

# %% [markdown]
# ## 8. Validate: which reader goes on the device?
#
# From here on everything is yours, put together. If a cell stops, look at the exercise that its error names.
#
# ### 8.1 Five readers, and a control
#
# The five readers of part 1 take turns on one digit, and with them runs a sixth: **the whole reader again**, under
# another name. It is the control. If your benchmark finds that the whole reader is faster than itself, believe none of
# the other rows either.
#
# **Predict before you run.** Put the five in order. Which comparisons will end with "cannot tell"?
#
# **Validate** (not graded): medians, intervals, verdicts.

# %% tags=["validate", "raises-exception"]
CONTESTANTS = {**READERS, "whole, again": READERS["whole"]}
benchmark = Benchmark(CONTESTANTS, [(TEST_INPUTS, TEST_LABELS)], measurement_runs=80)
latencies = benchmark.run_latency_benchmark()
compared = {name: compare_times(benchmark.times["whole"], benchmark.times[name]) for name in CONTESTANTS}
print(f"{'reader':<16} {'median, ms':>11} {'95 %':>19} {'outliers':>9} {'times as fast as whole':>28}  verdict")
for name, result in latencies.items():
    answer = compared[name]
    print(f"{name:<16} {result.median:>11.5f} {result.median_lower:>9.5f}–{result.median_upper:.5f} {result.outliers:>5} of {result.count}"
          f"{answer['speedup']:>13.3f} ({answer['low']:.3f}–{answer['high']:.3f})  {answer['verdict'] if name != 'whole' else '(itself)'}")
details = latencies["whole"].metadata
print(f"warm-up: {details['warmup']} of {benchmark.measurement_runs} rounds;  {details['loops']} repetitions of the whole reader in a reading")
control = compared["whole, again"]
print(f"the control: {control['verdict']}, {control['speedup']:.3f} (of 20 such controls one may go wrong at 95 %)")

# %% tags=["validate", "raises-exception"] jupyter={"source_hidden": true}
# Validate (not graded): the ratios in each round as a picture.
plt = pyplot()
if plt:
    figure, axis = plt.subplots(figsize=(8, 3.2))
    for place, (name, answer) in enumerate(compared.items()):
        ratios = np.asarray(benchmark.times["whole"]) / np.asarray(benchmark.times[name])
        axis.plot(ratios, place + np.linspace(-0.25, 0.25, len(ratios)), ".", color="0.7", markersize=3)
        axis.plot([answer["low"], answer["high"]], [place, place], color="C3", linewidth=4, solid_capstyle="butt")
    axis.axvline(1.0, color="0.4", linestyle="--", linewidth=1)
    axis.set_yticks(range(len(compared)), list(compared))
    middle = [answer["speedup"] for answer in compared.values()]
    axis.set_xlim(0.5 * min(middle), 1.5 * max(middle))
    axis.set_xlabel("times as fast as the whole reader; grey: single rounds, red: interval of their median")
    axis.invert_yaxis()
    figure.tight_layout()
    plt.show()

# %% [markdown]
# ### 8.2 The ablation: without turns, on your machine
#
# The control again, but now as most people measure: all runs of the one, then all runs of the other; ten times over, and
# beside it your way, ten times. On a quiet machine both may do well. On one with other things to do, they part. The simulated
# machine of part 4 is where it is certain; this is what yours does today.
#
# **Predict before you run.** How often will the whole reader beat itself, in each of the two ways?
#
# **Validate** (not graded): false winners.

# %% tags=["validate", "raises-exception"]
whole_run = forward_run(READERS["whole"], digit)
whole_run = repeated(whole_run, steady_loops(whole_run, 10 * TICK))
false_winners = {"all of A, then all of B": 0, "taking turns": 0}
for _ in range(10):
    apart = [interleaved_times({"whole": whole_run}, 20)[0]["whole"] for _ in range(2)]
    turns, _ = interleaved_times({"A": whole_run, "B": whole_run}, 20)
    false_winners["all of A, then all of B"] += compare_times(*apart)["verdict"] != "cannot tell"
    false_winners["taking turns"] += compare_times(turns["A"], turns["B"])["verdict"] != "cannot tell"
for way, count in false_winners.items():
    print(f"{way:<24} found a winner between the whole reader and itself in {count} of 10 comparisons")

# %% [markdown]
# ### 8.3 On the front
#
# **Predict before you run.** Which readers will be dominated when latency and accuracy are asked for? Which of them come
# back when memory is asked for, too?
#
# **Validate** (not graded): all figures, and the front.

# %% tags=["validate", "raises-exception"]
suite = BenchmarkSuite(READERS, [(TEST_INPUTS, TEST_LABELS)])
suite.run_full_benchmark()
print(f"{'reader':<16} {'latency, ms':>12} {'accuracy':>9} {'peak, MB':>9}")
for name, figures in suite.metrics().items():
    print(f"{name:<16} {figures['latency']:>12.5f} {figures['accuracy']:>9.1%} {figures['memory']:>9.4f}")
for axes in (["latency", "accuracy"], ["latency", "accuracy", "memory"]):
    print(f"front by {', '.join(axes)}: {', '.join(suite.pareto_front(axes))}")
lowest = min(figures["accuracy"] for figures in suite.metrics().values())
print(f"every reader reads more than 85 %: {'yes' if lowest > 0.85 else 'NO'} (the lowest {lowest:.1%})")
suite.plot_pareto_frontier()

# %% [markdown]
# How much of that front is the readers', and how much is the day's? The next cell draws the front forty times from a *single*
# round each, and forty times from the median of all rounds, drawn anew with replacement (the bootstrap once more).
#
# **Predict before you run.** How many different fronts will there be in each case?
#
# **Validate** (not graded): fronts that come and go.

# %% tags=["validate", "raises-exception"]
rng = np.random.default_rng(83)
rows = np.array([suite.benchmark.times[name] for name in READERS])
accuracies = [suite.metrics()[name]["accuracy"] for name in READERS]
fronts = {"a single round": [], "the median of all": []}
for _ in range(40):
    drawn = rng.integers(rows.shape[1], size=rows.shape[1])
    for way, figures in (("a single round", rows[:, drawn[0]]), ("the median of all", np.median(rows[:, drawn], axis=1))):
        fronts[way].append(tuple(pareto_frontier(list(zip(figures, accuracies)), (True, False))))
for way, places in fronts.items():
    share = {name: np.mean([place in front for front in places]) for place, name in enumerate(READERS)}
    print(f"{way:<18} {len(set(places)):>2} different fronts;  on it: " + ", ".join(f"{name} {part:.0%}" for name, part in share.items()))

# %% [markdown]
# ### 8.4 As MLPerf would ask
#
# Query by query, one digit at a time, the accuracy from the very answers that were timed.
#
# **Predict before you run.** Which of the percentiles can be told from 120 queries? And the readers are measured one after the
# other here, as entries of a competition are: which comparison must this table not be used for?
#
# **Validate** (not graded): the standard task for digits. The readers take rows of 64 pixels, so the digits are handed over as such.

# %% tags=["validate", "raises-exception"]
referee = MLPerf(datasets={"digit_reading": (TEST_INPUTS, TEST_LABELS)})


def shown(figure):
    return "refused" if figure is None else f"{figure:.4f}"


print(f"{'reader':<16} {'right':>7} {'p50, ms':>9} {'p90':>9} {'p90, estimate':>14} {'p99':>9}  compliant, and to be said")
for name, model in READERS.items():
    entry = referee.run_standard_benchmark(model, "digit_reading", num_runs=120)
    print(f"{name:<16} {entry['accuracy']:>7.1%} {shown(entry['p50_latency_ms']):>9} {shown(entry['p90_latency_ms']):>9} "
          f"{shown(entry['p90_early_stopping_ms']):>14} {shown(entry['p99_latency_ms']):>9}  {entry['compliant']}, {', '.join(entry['caveats']) or 'nothing'}")
print("a task without data:", referee.run_all_benchmarks(READERS["whole"])["keyword_spotting"]["error"])

# %% [markdown]
# ### 8.5 The report
#
# **Validate** (not graded): what you would hand to somebody who was not there, and a recommendation for each need.

# %% tags=["validate", "raises-exception"]
print(suite.generate_report())
cheaper = {name: model for name, model in READERS.items() if name != "whole"}
techniques = compare_optimization_techniques(READERS["whole"], cheaper, [(TEST_INPUTS, TEST_LABELS)])
for name, factors in techniques["improvements"].items():
    print(f"{name:<16} " + ", ".join(f"{factor} {value:.3f}" for factor, value in factors.items()) + f";  {techniques['comparisons'][name]['verdict']}")
for need, advice in techniques["recommendations"].items():
    print(f"{need:<27} {advice['model']:<16} {advice['reason']}")

# %% tags=["validate", "raises-exception"] jupyter={"source_hidden": true}
# Validate (not graded): all figures as a picture.
suite.plot_results()

# %% [markdown]
# ## 9. Two questions to answer in writing
#
# Use figures from your own notebook, whichever way they went. Half a page each is enough.

# %% [markdown] nbgrader={"grade": false, "grade_id": "task_verdict", "locked": true, "points": 10, "schema_version": 3, "solution": false, "task": true}
# **Question 1 (10 points, about 30 minutes): which reader, and how sure?**
#
# a) Which of the five readers do you put on a device that has to answer single digits quickly? Give the comparison with
# the whole reader with its interval, and what your front of 8.3 says about the choice. What would change your mind?
#
# b) What did your controls do (the sixth reader of 8.1, and 8.2)? Say what a control that goes wrong would mean for a), and
# how many of 20 controls you expect to go wrong at 95 % even if nothing is amiss.
#
# c) From the table of simulated machines in part 4: in which row does the order decide the verdict, and why can a hundred times as
# many runs not help there?
#
# === BEGIN MARK SCHEME ===
# a) 4 points: a choice that follows from the writer's own figures (1); speedup with both ends of its interval, and the
# verdict read rightly, "cannot tell" included (1); whether the chosen reader is on the front, with its accuracy, and, if it
# is not, why it was chosen (1); something that would change it: another machine or batch, an interval that contains 1, a
# front that changes in the draws of 8.3, a difference in accuracy of one or two digits (1).
#
# b) 3 points: the writer's own control figures (1); a winner between alike runs means that order, drift or disturbance
# decides, so that differences of that size in a) are not to be believed (1); one of 20 (1).
#
# c) 3 points: the row of the drifting machine, A then B, where A beats itself or the 5 % are not seen or turned round, from the printed table (1); the
# later runs are slower whatever is run (1); more runs last longer and drift further, so the bias grows while the interval
# shrinks: it is no scatter (1).
# === END MARK SCHEME ===

# %% [markdown]
# *Your answer:*

# %% [markdown] nbgrader={"grade": false, "grade_id": "task_report", "locked": true, "points": 10, "schema_version": 3, "solution": false, "task": true}
# **Question 2 (10 points, about 30 minutes): a report to be taken apart**
#
# *"We measured the original model ten times and then ours ten times, after five warm-up runs each. Ours needs 1.31 ms (best of
# ten), the original 1.42 ms on average, so ours is 1.08 times as fast, and its 99th percentile of 1.9 ms is well below the
# limit. Its accuracy of 97.1 % was found on the full test set beforehand. Energy per answer is estimated at 2.6 mJ."*
#
# a) Name five things that are wrong, and say for each what it does to the result, and in whose favour.
#
# b) Rewrite the plan of the measurement, so that a sceptic would accept it. Say which of your functions does what.
#
# c) Suppose that everything is repaired and the interval of the ratio reaches from 0.99 to 1.09. What do you write? What
# would you need to write more, and why is "measure until it is above 1" not an answer?
#
# === BEGIN MARK SCHEME ===
# a) 5 points, one for each with its effect: one after the other, so drift falls on one of them (against ours here, if the machine slows down;
# for it, if it speeds up); best against average (for ours); warm-up guessed, may be too short or too long; no interval, so
# 1.08 may be chance; p99 of ten runs is about the largest of them, nothing is known of it; accuracy of other runs than the
# timed ones, of a model that may since have changed; energy was estimated, not measured. Effects have to fit.
#
# b) 3 points: taking turns in pairs, the order turned round, on the same input (interleaved_times) (1); warm-up from the data,
# readings long enough, more runs (warmup_length, calibrate_loops) (1); the ratio with its interval, percentile or estimate from
# enough runs, accuracy of the timed answers, caveats (1).
#
# c) 2 points: "cannot tell": anything from 1 % slower to 9 % faster agrees with the data (1); more rounds fixed
# beforehand narrow the interval; stopping when it looks good is choosing among many chances, and finds a winner among
# alike models sooner or later (1).
# === END MARK SCHEME ===

# %% [markdown]
# *Your answer:*

# %% [markdown]
# ## Summary
#
# - A reading has to be long against the clock's step. What never gets long computes nothing.
# - Order decides before statistics do: take turns, turn the order round, and keep a control that has to end undecided.
# - The end of a warm-up stands in the data. So does that there is none.
# - Every figure has an interval, and an interval keeps its word only if it is made for few values: t, or the bootstrap.
# - Speed is a ratio in pairs. Besides faster and slower there is "cannot tell".
# - A percentile needs runs beyond it. MLPerf's rule says how many may be slow before a promise is broken.
# - The front strikes off what is worse everywhere, and chooses nothing. The report names machine and doubts.
# - What was not measured is not there: no accuracy without data, no energy without a meter.
#
# **Further exercises** (not graded)
#
# 1. Give `bootstrap_interval` one value that is a hundred times as large as the others. Which statistics bear it?
# 2. Draw rounds in *blocks* in the bootstrap, for runs that follow each other are alike. Does the interval get wider?
# 3. Measure the five readers on batches of 64. Does the front change?
# 4. `slow_runs_allowed` is asked about 1,000 runs at the most, for `comb` gets too large for a float. Go further with
#    `math.lgamma`: MLPerf's load generator says 173 for 2,048 queries.
# 5. Repeat 8.1 ten times and test whether the intervals of the first time contain the medians of the others.
#
# **References**
#
# - B. Efron, Bootstrap Methods: Another Look at the Jackknife, The Annals of Statistics 7(1), 1979.
# - Student, The Probable Error of a Mean, Biometrika 6(1), 1908.
# - A. Georges, D. Buytaert, L. Eeckhout, Statistically Rigorous Java Performance Evaluation, OOPSLA 2007.
# - T. Mytkowicz et al., Producing Wrong Data Without Doing Anything Obviously Wrong!, ASPLOS 2009: order and environment.
# - V. J. Reddi et al., MLPerf Inference Benchmark, arXiv:1911.02549; the rules of MLPerf Inference, on early stopping.
# - M. Abramowitz, I. Stegun, Handbook of Mathematical Functions, 26.7: Student's t for whole degrees of freedom.
# - The documentation of `pyperf`: calibration, warm-ups, medians with MAD.
#
# **What comes next.** You can now say which model is faster and be believed. Module 20 makes a competition of it: your entry
# will be measured again, by somebody who trusts nobody.
