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
#     number: 14
#     name: profiling
#     title: Profiling
#     tier: Optimization
#     difficulty: 3
#     time: 5-6 hours
#     prerequisites: [Tensor, Activations, Layers, Losses, Autograd, Optimizers, DataLoader, Convolutional Networks, Embeddings, Attention, Transformers]
#     export: profiling.profiler
#     provides: [profiling.costs, profiling.machine, profiling.runs]
#     summary: Count what a model must do, watch what it does, and find out what holds it back on this machine.
# ---

# %% [markdown]
# # Module 14: Profiling
#
# 🔬 **Motivation.** You have built models. Now somebody wants one of them on a small device and
# asks three plain questions: does it fit, is it quick enough, and what should be improved first?
# Guessing is cheap and often wrong. In this module you build the instrument that answers: a
# profiler. Modules 15 to 20 use it in every step.
#
# | step | question | where |
# |---|---|---|
# | Profile | what do a stopwatch and a count say about three trained models? | part 1 |
# | Discover | which of these figures can be trusted, and which lead astray? | part 1 |
# | Implement | count parameters and operations; watch time and memory; find the limit | parts 2 to 5 |
# | Validate | the three models again, with your own profiler | part 6 |
#
# **When you are done you can**
#
# 1. count the parameters and the floating-point operations (FLOPs) of a model without running it;
# 2. time a program so that the figure means something, and say how far to trust it;
# 3. observe how much memory a forward pass takes;
# 4. decide with the roofline of *this* machine whether memory or arithmetic is the limit;
# 5. say what training costs beyond inference, from a backward pass that was really run.
#
# **Connection map**
#
# ```
#  03 Linear   09 Conv2d   12 MultiHeadAttention   13 GPT     <- what is profiled
#       \         |                |               /
#        +--------+-- 14 Profiler -+--------------+          <- this module
#       /       |        |        |                \
#     15       16       17       18              19, 20      <- what uses it
#  caching  integers  pruning  kernels         benchmarks
# ```
#
# **What you need.** The modules before this one, Python 3.11 or newer, and numpy 2. Nothing else:
# where matplotlib is installed you see pictures as well, and every figure is printed anyway.
#
# **How it is graded.** 80 points by tests, 20 for two written answers. The points and a rough time
# stand at each exercise. Every test cell that you see holds a few checks; when it is graded, further
# checks run on other inputs. Each exercise is tested by itself: a mistake in one does not cost
# you another.
#
# **Words that you will meet in the cells.** Cells that begin with `#| export` become the file
# `tinytorch/profiling/profiler.py` when the module is exported. A line `### JUDGE` in a test cell
# separates what runs beside your code (above) from what looks at the results (below); to you both
# are ordinary Python. Cells marked **Warm-up** and **Validate** are never graded: run them, change
# them, break them.
#
# Two units, once and for all: 1 MB is 2**20 bytes, and **one multiply-add is two FLOPs**.

# %% nbgrader={"grade": false, "grade_id": "setup", "locked": true, "schema_version": 3, "solution": false, "task": false}
#| export
import tracemalloc
from collections.abc import Iterable, Sequence
from functools import cached_property
from math import prod
from typing import Any

import numpy as np

from tinytorch.core.tensor import Shape, Tensor
from tinytorch.profiling.costs import (
    BACKWARD_FLOPS_PER_FORWARD,
    Cost,
    between,
    cost_rule,
    pair,
    parts_of,
    rule_of,
)
from tinytorch.profiling.machine import MB, Machine, measure_machine
from tinytorch.profiling.runs import (
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

# %% [markdown]
# The three imports from `tinytorch.profiling` are files that come with this module. Open them, they
# are short: `costs` holds the counting rules of layers that multiply nothing, `runs` the clock and the
# trace of memory, `machine` measures what this computer can do at its best. What is missing in them
# you write here.
#
# The next cell is the workbench: models, tools of the tests, and the place where pictures come from.

# %% nbgrader={"grade": false, "grade_id": "workbench", "locked": true, "schema_version": 3, "solution": false, "task": false}
import time
from types import SimpleNamespace

from tinytorch.core.activations import GELU, ReLU, Softmax
from tinytorch.core.layers import Dropout, Linear, Sequential
from tinytorch.core.losses import CrossEntropyLoss
from tinytorch.core.optimizers import Adam
from tinytorch.core.spatial import BatchNorm2d, Conv2d, Flatten, MaxPool2d
from tinytorch.data.digits import load_digits
from tinytorch.models.transformer import GPT, LayerNorm
from tinytorch.notebook import pyplot
from tinytorch.text.embeddings import Embedding


class HandClock:
    """A clock that moves only when somebody moves it: tests know what a run takes."""

    def __init__(self):
        self.ms = 0.0

    def __call__(self):
        return self.ms

    def advance(self, ms):
        self.ms += ms


class RehearsedStep:
    """A training step whose times are known. As in a real one, old gradients that are still there make work."""

    def __init__(self, clock, forward_ms, backward_ms, late_ms=0.0):
        self.clock, self.late_ms = clock, late_ms
        self.forward_ms, self.backward_ms = list(forward_ms), list(backward_ms)
        self.latest, self.has_gradients, self.rounds = None, True, 0

    def forget(self):
        self.has_gradients = False

    def forward(self):
        self.clock.advance(self.forward_ms[self.rounds])
        self.latest = object()
        return self.latest

    def backward(self, end):
        if end is None or end is not self.latest:
            raise RuntimeError("a backward pass goes back through the forward pass before it, once")
        self.clock.advance(self.backward_ms[self.rounds] + (self.late_ms if self.has_gradients else 0.0))
        self.latest, self.has_gradients = None, True
        self.rounds += 1


def error_of(call, wanted, word=""):
    """What a call raises, in a word: the name of the wanted class for any error of its kind, and `word` where it is said."""
    try:
        call()
    except wanted as error:
        return f"{wanted.__name__} {word}".strip() if word in str(error) else wanted.__name__
    except Exception as error:
        return type(error).__name__
    return "no error"


# %% [markdown]
# ## 1. Profile and discover
#
# ### 1.1 Three models that read digits
#
# At stake: a model that reads handwritten digits shall go on a device. Three candidates are
# trained here, on the digits of module 08, in a few seconds. Which would *you* ship?
#
# **Predict before you run:** which of the three has the most parameters? Which one answers soonest?
# Are these the same?

# %% [markdown]
# **Warm-up** (not graded)

# %% tags=["warmup"]
np.random.seed(14)
train_images, train_labels = load_digits("train")
test_images, test_labels = load_digits("test")

READERS = {
    "small": Sequential(Flatten(), Linear(64, 32), ReLU(), Linear(32, 10)),
    "wide": Sequential(Flatten(), Linear(64, 128), ReLU(), Linear(128, 10)),
    "convolutional": Sequential(
        Conv2d(1, 8, 3, padding=1), ReLU(), MaxPool2d(2),
        Conv2d(8, 16, 3, padding=1), ReLU(), MaxPool2d(2),
        Flatten(), Linear(64, 10),
    ),
}


def train(model, epochs=5, batch=128):
    """Adam and cross-entropy, as in module 07, without the bookkeeping."""
    optimizer, loss_fn, rng = Adam(model.parameters(), lr=0.01), CrossEntropyLoss(), np.random.default_rng(0)
    for _ in range(epochs):
        order = rng.permutation(len(train_labels.data))
        for start in range(0, len(order), batch):
            chosen = order[start : start + batch]
            optimizer.zero_grad()
            loss = loss_fn(model(Tensor(train_images.data[chosen])), Tensor(train_labels.data[chosen]))
            loss.backward()
            optimizer.step()


def accuracy(model):
    return float(np.mean(model(test_images).data.argmax(axis=1) == test_labels.data))


one_image = Tensor(test_images.data[:1])
print(f"{'reader':<14} {'accuracy':>9} {'first answer, ms':>17} {'second, ms':>11}")
for name, model in READERS.items():
    train(model)
    taken = []
    for _ in range(2):
        start = time.perf_counter()
        model(one_image)
        taken.append(1000 * (time.perf_counter() - start))
    print(f"{name:<14} {accuracy(model):>9.1%} {taken[0]:>17.3f} {taken[1]:>11.3f}")

# %% [markdown]
# Run the cell above a second time and compare the two columns of milliseconds with the first run. Would you base a
# decision on them?
#
# ### 1.2 How a stopwatch behaves
#
# The same model, the same image, two hundred times. **Predict before you run:** how far apart will the quickest and
# the slowest run be?

# %% [markdown]
# **Warm-up** (not graded)

# %% tags=["warmup"]
def seconds_per_tick(clock, ticks=200):
    """The smallest step that a clock was seen to make."""
    smallest = np.inf
    for _ in range(ticks):
        before = clock()
        while (after := clock()) == before:
            pass
        smallest = min(smallest, after - before)
    return smallest


stopwatch_ms = []
for _ in range(200):
    start = time.perf_counter()
    READERS["small"](one_image)
    stopwatch_ms.append(1000 * (time.perf_counter() - start))
stopwatch_ms = np.array(stopwatch_ms)
ranked = np.sort(stopwatch_ms)
for label, value in (
    ("first run", stopwatch_ms[0]), ("quickest", ranked[0]), ("in the middle", ranked[100]),
    ("mean", stopwatch_ms.mean()), ("slowest", ranked[-1]),
):
    print(f"{label:<14} {value:8.4f} ms   {value / ranked[100]:6.2f} times the one in the middle")
without_slowest = ranked[:-5].mean()
print(f"\nwithout its five slowest runs the mean moves by {abs(without_slowest / stopwatch_ms.mean() - 1):.1%}, "
      f"the middle by {abs(ranked[97] / ranked[100] - 1):.1%}")
print(f"smallest step of time.perf_counter: {1e9 * seconds_per_tick(time.perf_counter):.0f} ns")
print("time.time follows the computer's calendar, which may be set back while you measure")

# %% tags=["warmup"] jupyter={"source_hidden": true}
plt = pyplot()
if plt:
    figure, (left, right) = plt.subplots(1, 2, figsize=(9, 3.2))
    left.plot(stopwatch_ms, ".", markersize=3)
    left.set_yscale("log")
    left.set_xlabel("run")
    left.set_ylabel("ms")
    left.set_title("in the order in which they were made", fontsize=10)
    right.hist(np.clip(stopwatch_ms, None, 3 * ranked[100]), bins=60, color="0.45")
    right.axvline(ranked[100], color="C1", label="in the middle")
    right.axvline(stopwatch_ms.mean(), color="C3", linestyle="--", label="mean")
    right.set_xlabel("ms (the slowest stand together at the right end)")
    right.legend(fontsize=8)
    figure.tight_layout()
    plt.show()

# %% [markdown]
# Other programs run beside yours, memory is fetched for the first time, the processor changes its
# pace. All of this *adds* time and takes none away. Keep that in mind for part 3.
#
# ### 1.3 What this machine can do at its best
#
# Two things take time: arithmetic, and moving numbers between memory and processor. The next cell
# measures both, for small and for large arrays. A copy reads every byte and writes it, so it moves
# twice its size. (Some processors also fetch what they are about to overwrite, called *write-allocate*. The memory then
# moves three times the size. Counted here is what the program asks for.) A product of two $n \times n$ matrices takes
# $n^3$ multiply-adds.
#
# **Predict before you run:** will a megabyte be copied at the same pace whether the array is small or large?

# %% [markdown]
# **Warm-up** (not graded)

# %% tags=["warmup"]
def best_seconds(work, budget=0.03):
    """The least of several runs: right for a *peak*, since every disturbance only adds."""
    work()
    taken = []
    while len(taken) < 3 or sum(taken) < budget:
        start = time.perf_counter()
        work()
        taken.append(time.perf_counter() - start)
    return max(min(taken), 1e-9)


copy_speed, product_speed = {}, {}
for kilobytes in (16, 64, 256, 1024, 4096, 16384, 65536, 131072):
    source = np.ones(kilobytes * 1024, dtype=np.uint8)
    target = np.zeros_like(source)
    copy_speed[kilobytes] = 2 * kilobytes / 1024 / best_seconds(lambda: np.copyto(target, source))
for side in (8, 16, 32, 64, 128, 256):
    matrix = np.full((side, side), 0.5, dtype=np.float32)
    product = np.empty_like(matrix)
    product_speed[side] = 2 * side**3 / best_seconds(lambda: np.matmul(matrix, matrix, out=product)) / 1e9

print(f"{'copy of':>10} {'MB per second':>14}      {'product, side':>14} {'GFLOP/s':>9}")
for (kilobytes, speed), (side, gflops) in zip(copy_speed.items(), [*product_speed.items(), *2 * [("", None)]]):
    right_half = f"{side:>14} {gflops:>9.2f}" if gflops else ""
    print(f"{kilobytes:>7} kB {speed:>14,.0f}      {right_half}")
print(f"\nthe quickest copy ran at {max(copy_speed.values()) / copy_speed[131072]:.1f} times the pace of the largest one")
print(f"the quickest product ran at {max(product_speed.values()) / product_speed[8]:.0f} times the pace of the smallest one")
blas = np.show_config(mode="dicts")["Build Dependencies"]["blas"]
print(f"numpy multiplies with: {blas.get('name', 'its own loops: it has no BLAS here')}")

# %% [markdown]
# A copy that fits into the processor's cache need not touch the memory behind it, and with small matrices most of the
# work is the call around the product. Your two columns say how much that matters here. The two peaks in `machine` come
# from a copy of 128 MB and a product of 512 × 512 matrices.
#
# You now have three kinds of figure: counts that never change, times that always do, and peaks that depend
# on how they are taken. The rest of the module builds a profiler out of them.
#
# ## 2. Count: what can be known without running
#
# ### Exercise 1: `model_parameters` (7 points, about 20 minutes)
#
# A parameter is a `Tensor` that training changes. Where a model keeps its parameters depends on who
# wrote it, so ask in this order:
#
# 1. `model.parameters()`, where there is such a method and it gives anything: it may return a list, or be a generator;
# 2. else each of the layers in `model.layers`, asked in the same way;
# 3. else the attributes `weight` and `bias`, where they hold a `Tensor`.
#
# Two layers may share one tensor ("weight tying"). It is stored once, so it is listed once. Two
# tensors that merely hold the same numbers are two.

# %% nbgrader={"grade": false, "grade_id": "model_parameters", "locked": false, "schema_version": 3, "solution": true, "task": false}
#| export
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
    ### BEGIN SOLUTION
    listed = list(model.parameters()) if hasattr(model, "parameters") else []
    if not listed:
        listed = [tensor for layer in getattr(model, "layers", ()) for tensor in model_parameters(layer)]
    if not listed:
        own = (getattr(model, name, None) for name in ("weight", "bias"))
        listed = [tensor for tensor in own if isinstance(tensor, Tensor)]
    ### EQUIVALENT 8ce117bf by parameters: any iterable of Tensors will do, and none is listed twice
    return list({id(tensor): tensor for tensor in listed}.values())
    ### END SOLUTION

# %% tags=["raises-exception"] nbgrader={"grade": true, "grade_id": "test_model_parameters", "locked": true, "points": 7, "schema_version": 3, "solution": false, "task": false}
first, second = Linear(3, 2), Linear(2, 4)
second.bias = None
sizes = sorted(tensor.size for tensor in model_parameters(Sequential(first, ReLU(), second)))
tied = sorted(tensor.size for tensor in model_parameters(Sequential(first, first)))
### JUDGE
assert sizes == [2, 6, 8], (
    "Linear(3, 2), ReLU, Linear(2, 4) without bias: three tensors, of 6, 2 and 8 elements; "
    f"your list, by size, has tensors of {sizes}"
)
assert tied == [2, 6], f"the same layer twice: its 6 weights and 2 biases are stored once, got {tied}"
### BEGIN HIDDEN TESTS
def filled_with(number, *shape):
    return Tensor(np.full(shape, float(number)))


class Bare:
    """A layer of nobody's: attributes, and no method at all."""

    def __init__(self, weight, bias=None):
        self.weight, self.bias = weight, bias


class Stack:
    """Has `parameters`, which knows of nothing; its layers stand in a list."""

    def __init__(self, *layers):
        self.layers = list(layers)

    def parameters(self):
        return []


class Yielding(Stack):
    """Its `parameters` is a generator, over what may be nothing."""

    def __init__(self, own, *layers):
        super().__init__(*layers)
        self.own = own

    def parameters(self):
        yield from self.own


bare = Bare(filled_with(1, 2, 3), filled_with(2, 3))
nested = SimpleNamespace(layers=[bare, SimpleNamespace(layers=(Bare(filled_with(3, 3, 5)), ReLU())), Dropout()])
nested_numbers = sorted(float(tensor.data.flat[0]) for tensor in model_parameters(nested))
stack_sizes = sorted(tensor.size for tensor in model_parameters(Stack(Linear(4, 3), Bare(filled_with(5, 2, 2)))))
alike = Stack(Bare(filled_with(7, 4, 4), filled_with(0, 4)), Bare(filled_with(7, 4, 4), filled_with(0, 4)))
alike_sizes = sorted(tensor.size for tensor in model_parameters(alike))
lender = Bare(filled_with(8, 5, 5), filled_with(0, 5))
borrower = Bare(lender.weight, filled_with(0, 5))
borrowed_sizes = sorted(tensor.size for tensor in model_parameters(Stack(lender, ReLU(), borrower)))
empty_sizes = [[tensor.size for tensor in model_parameters(model)] for model in (ReLU(), len, Stack(), Bare("bold"))]
both = SimpleNamespace(layers=[Bare(filled_with(6, 3))], weight=filled_with(6, 8))
both_sizes = [tensor.size for tensor in model_parameters(both)]
own_list = SimpleNamespace(parameters=lambda: [filled_with(9, 6), filled_with(9, 7)], layers=[Linear(50, 50)])
own_sizes = sorted(tensor.size for tensor in model_parameters(own_list))
yielding = [Yielding([filled_with(4, 6), filled_with(4, 7)], Linear(9, 9)), Yielding([], Linear(4, 3))]
yielded_sizes = [sorted(tensor.size for tensor in model_parameters(model)) for model in yielding]
### JUDGE
assert nested_numbers == [1.0, 2.0, 3.0], (
    "layers inside of layers, in lists or tuples, with nothing but weight and bias, must be found too"
)
assert stack_sizes == [3, 4, 12], (
    "where parameters() returns nothing, the layers must be asked"
)
assert alike_sizes == [4, 4, 16, 16], "two tensors that hold the same numbers are still two tensors"
assert borrowed_sizes == [5, 5, 25], "a weight that two layers share must be listed once"
assert empty_sizes == [[], [], [], []], "what learns nothing must give an empty list, also where its weight is no Tensor"
assert both_sizes == [3], "where layers have parameters, attributes of the model itself are not asked for"
assert own_sizes == [6, 7], "where parameters() returns something, that is the answer"
assert yielded_sizes == [[6, 7], [3, 12]], "where parameters() is a generator, what it yields must be looked at"
### END HIDDEN TESTS

# %% [markdown]
# ### Exercise 2: `linear_flops` (6 points, about 15 minutes)
#
# A linear layer takes a vector of $K$ numbers and gives one of $N$. Each of the $N$ results is a sum of
# $K$ products. One multiplication and one addition together are a *multiply-add*, and we count it as **two**
# operations, as most papers and processor makers do. (Some tools report multiply-adds, "MACs", and
# call them FLOPs: always ask which.) The bias is not counted: it rides along in the sum.
#
# Everything in front of the last axis, the batch and the position in a sequence, is one
# more vector that goes through. All of it is counted.

# %% nbgrader={"grade": false, "grade_id": "linear_flops", "locked": false, "schema_version": 3, "solution": true, "task": false}
#| export
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
    ### BEGIN SOLUTION
    return 2 * prod(input_shape) * out_features
    ### END SOLUTION

# %% tags=["raises-exception"] nbgrader={"grade": true, "grade_id": "test_linear_flops", "locked": true, "points": 6, "schema_version": 3, "solution": false, "task": false}
single = linear_flops((1, 128), 64)
batched = linear_flops((8, 128), 64)
### JUDGE
assert single == 16_384 and str(single).isdigit(), (
    f"Linear(128, 64) takes 8,192 multiply-adds for one vector, two operations each: the int 16384, got {single!r}"
)
assert batched == 131_072 and str(batched).isdigit(), f"eight vectors take eight times as many, got {batched!r}"
### BEGIN HIDDEN TESTS
shapes = [(7,), (5, 7), (3, 4, 7), (2, 3, 4, 7), (1, 1), (1024, 512, 8192)]
widths = [3, 2, 11, 5, 1, 4096]
counts = [linear_flops(shape, width) for shape, width in zip(shapes, widths, strict=True)]
### JUDGE
want = [42, 140, 1848, 1680, 2, 35_184_372_088_832]
assert isinstance(counts, list) and len(counts) == len(want) and all(str(count).isdigit() for count in counts), (
    "linear_flops must return one whole number, no float"
)
assert counts[0] == want[0], "an input of one axis is one vector"
assert counts[1] == want[1], "every vector of the batch must be counted, two operations for each multiply-add"
assert counts[2:5] == want[2:5], "all axes in front of the last must be counted, however many"
assert counts[5] == want[5], "large layers take more operations than a 32-bit number can hold"
### END HIDDEN TESTS

# %% [markdown]
# ### Exercise 3: `window_places` (6 points, about 20 minutes)
#
# A convolution or a pool slides a window over an image. How many places does the window take? Along
# one axis: put `padding` zeros at *both* ends, put the window at the beginning, and move it by `stride` as
# long as it lies inside. Draw it for a length of 7, a window of 3 and a stride of 2 before you write
# a formula. Height and width may differ in everything: size, window, stride and padding.

# %% nbgrader={"grade": false, "grade_id": "window_places", "locked": false, "schema_version": 3, "solution": true, "task": false}
#| export
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
    ### BEGIN SOLUTION
    room = [size[axis] + 2 * padding[axis] - window[axis] for axis in (0, 1)]
    if min(room) < 0:
        raise ValueError(f"a window of {window} with padding {padding} does not fit into {size}")
    return room[0] // stride[0] + 1, room[1] // stride[1] + 1
    ### END SOLUTION

# %% tags=["raises-exception"] nbgrader={"grade": true, "grade_id": "test_window_places", "locked": true, "points": 6, "schema_version": 3, "solution": false, "task": false}
same = list(window_places((8, 8), (3, 3), (1, 1), (1, 1)))
strided = list(window_places((7, 7), (3, 3), (2, 2), (0, 0)))
### JUDGE
assert same == [8, 8], f"a window of 3 with a padding of 1 and a stride of 1 keeps the size, 8 x 8, got {same}"
assert strided == [3, 3], f"on a length of 7 a window of 3 with a stride of 2 takes 3 places, got {strided}"
### BEGIN HIDDEN TESTS
cases = [
    ((10, 11), (5, 3), (2, 2), (1, 1)), ((9, 9), (3, 3), (2, 1), (0, 1)), ((6, 30), (1, 7), (1, 5), (0, 2)),
    ((4, 4), (4, 4), (3, 3), (0, 0)), ((5, 8), (2, 2), (2, 2), (0, 0)), ((3, 2), (5, 4), (1, 1), (1, 1)),
    ((32, 17), (1, 1), (1, 4), (0, 0)),
]
places = [list(window_places(*case)) for case in cases]
too_high = error_of(lambda: window_places((2, 9), (3, 3), (1, 1), (0, 0)), ValueError)
too_wide = error_of(lambda: window_places((9, 2), (3, 7), (1, 1), (0, 2)), ValueError)
### JUDGE
counted = [
    [
        len([at for at in range(0, size[axis] + 2 * padding[axis], stride[axis])
             if at + window[axis] <= size[axis] + 2 * padding[axis]])
        for axis in (0, 1)
    ]
    for size, window, stride, padding in cases
]
assert places[4:5] == counted[4:5] and places[6:7] == counted[6:7], (
    "without padding: the last step may not fit, and then it is not made"
)
assert places[3:4] == counted[3:4], "a window as large as the image has one place"
assert places[2:3] == counted[2:3], "height and width have a window, a stride and a padding each of their own"
assert places == counted, "padding goes on both ends, and stride is a number of pixels, for each axis by itself"
assert too_high == "ValueError", "a window higher than the padded image must raise ValueError"
assert too_wide == "ValueError", "a window wider than the padded image must raise ValueError"
### END HIDDEN TESTS

# %% [markdown]
# ### Exercise 4: `conv2d_flops` (6 points, about 20 minutes)
#
# At each of its places the window covers `window` pixels of every input channel. For one output
# channel that is one sum of products. The rest is counting: how many sums are there in an output of
# shape (N, C, H, W), and how long is each?

# %% nbgrader={"grade": false, "grade_id": "conv2d_flops", "locked": false, "schema_version": 3, "solution": true, "task": false}
#| export
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
    ### BEGIN SOLUTION
    terms = in_channels * window[0] * window[1]
    return 2 * prod(output_shape) * terms
    ### END SOLUTION

# %% tags=["raises-exception"] nbgrader={"grade": true, "grade_id": "test_conv2d_flops", "locked": true, "points": 6, "schema_version": 3, "solution": false, "task": false}
gray = conv2d_flops((1, 8, 8, 8), 1, (3, 3))
colour = conv2d_flops((4, 16, 30, 30), 3, (3, 3))
### JUDGE
assert gray == 9_216 and str(gray).isdigit(), (
    f"one image, 8 channels of 8 x 8 results, each a sum of 9 products, two operations each: the int 9216, got {gray!r}"
)
assert colour == 3_110_400 and str(colour).isdigit(), (
    f"4 images, 16 channels of 30 x 30 results, each over 3 channels of 3 x 3 pixels: 3,110,400, got {colour!r}"
)
### BEGIN HIDDEN TESTS
outputs = [(1, 1, 1, 1), (1, 5, 4, 7), (3, 5, 4, 7), (2, 3, 1, 6), (128, 512, 56, 56)]
inner = [1, 2, 2, 11, 256]
windows = [(1, 1), (3, 2), (3, 2), (1, 7), (3, 3)]
counts = [conv2d_flops(*case) for case in zip(outputs, inner, windows, strict=True)]
### JUDGE
want = [2, 3360, 10_080, 5544, 2 * 128 * 512 * 56 * 56 * 256 * 9]
assert isinstance(counts, list) and len(counts) == len(want) and all(str(count).isdigit() for count in counts), (
    "conv2d_flops must return one whole number, no float"
)
assert counts[0] == want[0], "one result of one product is one multiply-add"
assert counts[1] == want[1], "each result sums over all input channels and over the whole window, which may be no square"
assert counts[2] == want[2], "every image of the batch must be counted"
assert counts[3] == want[3], "input channels are no output channels, and height is no width"
assert counts[4] == want[4], "large layers take more operations than a 32-bit number can hold"
### END HIDDEN TESTS

# %% [markdown]
# ### Exercise 5: `attention_flops` (7 points, about 25 minutes)
#
# Four linear layers make queries, keys, values and the output: those are counted already. Between them
# lies what is peculiar to attention. Every head has `width / heads` of the vector:
#
# 1. the scores: each query with each key, a sum over the head's part of the vector;
# 2. softmax: 1 operation for each score, whatever it is made of;
# 3. each output: the values of all tokens, weighted by the scores of its query.
#
# Scaling and masking are not counted. Write the shapes of the three steps on paper first.

# %% nbgrader={"grade": false, "grade_id": "attention_flops", "locked": false, "schema_version": 3, "solution": true, "task": false}
#| export
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
    ### BEGIN SOLUTION
    scores = heads * tokens * tokens
    multiply_adds = scores * (width // heads) + tokens * width * tokens
    return batch * (2 * multiply_adds + scores)
    ### END SOLUTION

# %% tags=["raises-exception"] nbgrader={"grade": true, "grade_id": "test_attention_flops", "locked": true, "points": 7, "schema_version": 3, "solution": false, "task": false}
single = attention_flops(1, 10, 64, 1)
several = attention_flops(1, 10, 64, 4)
### JUDGE
assert single == 25_700 and str(single).isdigit(), (
    "10 tokens of width 64, one head: 100 scores of 64 products, as many again for the values, "
    f"and 100 for softmax: the int 25700, got {single!r}"
)
assert several == 26_000 and str(several).isdigit(), (
    f"four heads have four times as many scores, each a quarter as long: 26,000, got {several!r}"
)
### BEGIN HIDDEN TESTS
cases = [(1, 1, 8, 2), (1, 7, 12, 3), (5, 7, 12, 3), (2, 33, 16, 16), (3, 2048, 1024, 16)]
counts = [attention_flops(*case) for case in cases]
### JUDGE
want = [b * (4 * t * t * w + h * t * t) for b, t, w, h in cases]
assert isinstance(counts, list) and len(counts) == len(want) and all(str(count).isdigit() for count in counts), (
    "attention_flops must return one whole number, no float"
)
assert counts[0] == want[0], "one token looks at itself alone, and still takes scores, softmax and values"
assert counts[1] == want[1], "scores and values take as many multiply-adds each, and softmax one for every score of every head"
assert counts[2] == want[2], "every sequence of the batch must be counted"
assert counts[3] == want[3] and counts[4] == want[4], "the count grows with the square of the number of tokens"
### END HIDDEN TESTS

# %% [markdown]
# ### Rules for the layers (given)
#
# A *rule* takes a layer and the shape of its input and gives a `Cost`: the operations, the elements
# that are read and written, and the shape that comes out. The rules below put your four
# counting functions to work; `costs` holds those of all other layers. The decorator writes each into
# one table, by the name of the layer's class.

# %% nbgrader={"grade": false, "grade_id": "layer_rules", "locked": true, "schema_version": 3, "solution": false, "task": false}
#| export
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

# %% [markdown]
# ### Exercise 6: `layer_cost` (8 points, about 30 minutes)
#
# Now a whole model. Two given functions help:
#
# - `parts_of(model)` gives the list of the layers inside, in the order in which they run, or `None` for a layer
#   that has no layers inside. Layers inside may be models again.
# - `rule_of(layer)` gives the rule for a layer, or `None` where nobody has written one.
#
# The input of each layer has the shape that came out of the layer before. And what has no rule must
# **not** be counted as zero, or as anything else: a profiler that makes up figures is worse than none.

# %% nbgrader={"grade": false, "grade_id": "layer_cost", "locked": false, "schema_version": 3, "solution": true, "task": false}
#| export
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
    ### BEGIN SOLUTION
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
    ### END SOLUTION

# %% [markdown]
# The test uses layers whose rules are given, so that it depends on no other exercise.

# %% tags=["raises-exception"] nbgrader={"grade": true, "grade_id": "test_layer_cost", "locked": true, "points": 8, "schema_version": 3, "solution": false, "task": false}
words = Sequential(Embedding(50, 8), LayerNorm(8), Flatten(), Softmax())
cost = layer_cost(words, (2, 3))
flops, traffic, shape = cost.flops, cost.traffic, list(cost.output_shape)
unknown = error_of(lambda: layer_cost(Sequential(ReLU(), len), (2, 3)), TypeError)
### JUDGE
assert shape == [2, 24], f"(2, 3) words become (2, 3, 8) numbers, and flat (2, 24), got {shape}"
assert flops == 5 * 48 + 48, (
    f"48 numbers go through LayerNorm, 5 operations each, and through Softmax, 1 each: 288 in all, got {flops}"
)
assert traffic == (6 + 48) + (48 + 48) + 0 + (48 + 48), f"246 elements are read or written, got {traffic}"
assert unknown == "TypeError", (
    f"a part that no rule knows must raise TypeError, and gave {unknown}"
)
### BEGIN HIDDEN TESTS
class Mystery:
    def __call__(self, x):
        return x

    def __repr__(self):
        return "a layer"


class Renamed(ReLU):
    """What descends from a known layer is counted as that."""


inner = SimpleNamespace(layers=(BatchNorm2d(3), Renamed()))
outer = SimpleNamespace(layers=[inner, Dropout(), Flatten(), SimpleNamespace(layers=[Softmax(), GELU()])])
begins_inside = SimpleNamespace(layers=[SimpleNamespace(layers=[Embedding(9, 4), LayerNorm(4)]), ReLU(), Flatten()])
ends_flat = SimpleNamespace(layers=[ReLU(), Flatten()])
models = [ReLU(), outer, SimpleNamespace(layers=[]), Sequential(ReLU(), ReLU(), ReLU()), begins_inside, ends_flat]
shapes = [(3, 4, 5), (2, 3, 4, 4), (5, 2), (1, 7), (2, 3), (2, 3, 4)]
costs = [layer_cost(model, shape) for model, shape in zip(models, shapes, strict=True)]
figures = [[int(cost.flops), int(cost.traffic), [int(n) for n in cost.output_shape]] for cost in costs]
alone = error_of(lambda: layer_cost(Mystery(), (1, 4)), TypeError, "Mystery")
deep = SimpleNamespace(layers=[ReLU(), SimpleNamespace(layers=[Mystery()])])
within = error_of(lambda: layer_cost(deep, (1, 4)), TypeError, "Mystery")
late = Sequential(ReLU(), Embedding(5, 2), Flatten(), Mystery(), ReLU())
in_the_middle = error_of(lambda: layer_cost(late, (1, 4)), TypeError, "Mystery")
### JUDGE
assert isinstance(figures, list) and len(figures) == 6, "layer_cost must return a Cost"
assert figures[0] == [60, 120, [3, 4, 5]], "a single layer costs what its rule says"
assert figures[3] == [21, 42, [1, 7]], "a layer that stands in a model three times is run three times"
assert figures[2] == [0, 0, [5, 2]], "a model without layers costs nothing, and hands its input on"
assert figures[5] == [24, 48, [2, 12]], "what comes out of the last layer comes out of the model"
assert figures[1] == [480, 768, [2, 48]] and figures[4] == [144, 126, [2, 12]], (
    "models inside of models: add up flops and traffic, and hand each layer the shape that came out of the one before"
)
raised = [alone, within, in_the_middle]
assert all(word in ("TypeError", "TypeError Mystery") for word in raised), "a layer that no rule knows must raise TypeError, wherever it stands"
assert raised == ["TypeError Mystery"] * 3, "the message must name the class of the layer that no rule knows"
### END HIDDEN TESTS

# %% [markdown]
# ### Validate: does the count count what happens?
#
# Here a matrix product and a convolution are made in plain loops, and every multiply-add is counted as it
# happens. Your formulas stand beside it.

# %% [markdown]
# **Validate** (not graded)

# %% tags=["validate", "raises-exception"]
def counted_matmul(rows, inner, columns):
    happened = 0
    for _row in range(rows):
        for _column in range(columns):
            for _k in range(inner):
                happened += 1
    return happened


def counted_convolution(images, height, width, in_channels, out_channels, window, stride, padding):
    happened = 0
    for _image in range(images):
        for top in range(0, height + 2 * padding - window + 1, stride):
            for left in range(0, width + 2 * padding - window + 1, stride):
                happened += out_channels * in_channels * window * window
    return happened


print(f"{'what':<50} {'multiply-adds':>14} {'your FLOPs':>11} {'ratio':>6}")
for rows, inner, columns in ((1, 64, 32), (9, 20, 30)):
    happened, formula = counted_matmul(rows, inner, columns), linear_flops((rows, inner), columns)
    print(f"{f'Linear({inner}, {columns}), {rows} vectors':<50} {happened:>14,} {formula:>11,} {formula / happened:>6.2f}")
for case in ((1, 8, 8, 1, 8, 3, 1, 1), (2, 9, 9, 3, 4, 3, 2, 0)):
    images, height, width, in_channels, out_channels, window, stride, padding = case
    happened = counted_convolution(*case)
    layer = Conv2d(in_channels, out_channels, window, stride=stride, padding=padding)
    formula = layer_cost(layer, (images, in_channels, height, width)).flops
    label = f"Conv2d({in_channels}, {out_channels}, {window}), stride {stride}, padding {padding}, {images} of {height} x {width}"
    print(f"{label:<50} {happened:>14,} {formula:>11,} {formula / happened:>6.2f}")

# %% [markdown]
# And the transformer of module 13. **Predict before you run:** its sequence becomes sixteen times as long.
# How many times as many operations does that take?

# %% [markdown]
# **Validate** (not graded)

# %% tags=["validate", "raises-exception"]
WIDTH, HEADS, BLOCKS, VOCABULARY = 32, 4, 2, 60
gpt = GPT(VOCABULARY, WIDTH, BLOCKS, HEADS, max_seq_len=256)
gpt_flops = {}
print(f"{'tokens':>7} {'FLOPs':>13} {'between the projections':>24}")
for tokens in (16, 32, 64, 128, 256):
    gpt_flops[tokens] = layer_cost(gpt, (1, tokens)).flops
    share = BLOCKS * attention_flops(1, tokens, WIDTH, HEADS) / gpt_flops[tokens]
    print(f"{tokens:>7} {gpt_flops[tokens]:>13,} {share:>24.1%}")
print(f"\n16 times as many tokens take {gpt_flops[256] / gpt_flops[16]:.1f} times as many operations")

# %% [markdown]
# ## 3. Watch: what only a run can tell
#
# ### Exercise 7: `run_times` (8 points, about 25 minutes)
#
# Part 1.2 showed what can go wrong with a stopwatch. Write the measurement that avoids it:
#
# - `warmup` runs come first and are not timed;
# - then `iterations` runs, each timed by itself: one figure for each, nothing averaged yet;
# - the clock is handed over as a function. `clock()` gives milliseconds, and only differences mean anything. So
#   a test can hand over a clock of its own and know what must come out;
# - whatever the run raises is not caught. A profiler that times an error message reports a very quick model.

# %% nbgrader={"grade": false, "grade_id": "run_times", "locked": false, "schema_version": 3, "solution": true, "task": false}
#| export
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
    ### BEGIN SOLUTION
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
    ### END SOLUTION

# %% tags=["raises-exception"] nbgrader={"grade": true, "grade_id": "test_run_times", "locked": true, "points": 8, "schema_version": 3, "solution": false, "task": false}
clock = HandClock()
lasting = iter([400.0, 90.0, 3.0, 8.0, 2.0, 5.0])
times = [float(ms) for ms in run_times(lambda: clock.advance(next(lasting)), warmup=2, iterations=4, clock=clock)]
### JUDGE
assert len(times) == 4, f"4 runs are to be timed, one figure for each, got {len(times)}"
assert times == [3.0, 8.0, 2.0, 5.0], (
    f"the two runs of 400 and 90 ms are warm-up; then come 3, 8, 2 and 5 ms, got {times}"
)
### BEGIN HIDDEN TESTS
def timed_with(lasts, warmup, iterations):
    """Times of runs that last so long, and how many runs were made."""
    clock, calls = HandClock(), []

    def run():
        calls.append(1)
        clock.advance(lasts[len(calls) - 1])

    clock.advance(1234.5)
    return [float(ms) for ms in run_times(run, warmup, iterations, clock)], len(calls)


class Misread(Exception):
    pass


def breaks_at(number):
    """A run that raises when it is made for the `number`th time."""
    calls = []

    def run():
        calls.append(1)
        if len(calls) == number:
            raise Misread("the model is broken")

    return run


cold_times, cold_runs = timed_with([7.0, 1.5, 2.25], 0, 3)
one_time, one_runs = timed_with([9.0, 9.0, 9.0, 9.0, 0.5], 4, 1)
still_times, still_runs = timed_with([2.0] * 9, 3, 6)
in_warmup = error_of(lambda: run_times(breaks_at(1), 2, 3, HandClock()), Misread)
in_timing = error_of(lambda: run_times(breaks_at(4), 2, 3, HandClock()), Misread)
no_runs = error_of(lambda: run_times(lambda: None, 1, 0, HandClock()), ValueError)
less_than_none = error_of(lambda: run_times(lambda: None, 0, -1, HandClock()), ValueError)
below_zero = error_of(lambda: run_times(lambda: None, -1, 2, HandClock()), ValueError)
### JUDGE
assert cold_times == [7.0, 1.5, 2.25], "without warm-up the first run is timed as well, and every run by itself"
assert cold_runs == 3 and one_runs == 5 and still_runs == 9, "there must be warmup + iterations runs, and no more"
assert one_time == [0.5], "the runs of the warm-up must not be in the result, however many they are"
assert still_times == [2.0] * 6, "there must be one figure for each timed run, in milliseconds"
assert in_warmup == "Misread", "an error in the warm-up must be raised"
assert in_timing == "Misread", "an error in a timed run must be raised, and never be timed"
assert no_runs == "ValueError" and less_than_none == "ValueError", "nothing to time must raise ValueError"
assert below_zero == "ValueError", "a negative warm-up must raise ValueError"
### END HIDDEN TESTS

# %% [markdown]
# ### Exercise 8: `summarize_times` (8 points, about 30 minutes)
#
# A hundred times are too many to look at. Part 1.2 printed how far a few slow runs move their mean, and how far
# the time in the middle. Two figures are made to stand fast:
#
# - the **median**: the time in the middle. Of an even number of times, the mean of the two in the middle;
# - the **spread**: the median of the distances from the median (statisticians call it MAD, the median absolute
#   deviation). Half of the runs are no farther than this from the median.
#
# And the slow runs are not thrown away in silence but counted: an **outlier** is farther from the median than five
# times the spread. (For times that scatter like a bell, that is about one in 1,300.)

# %% nbgrader={"grade": false, "grade_id": "summarize_times", "locked": false, "schema_version": 3, "solution": true, "task": false}
#| export
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
    ### BEGIN SOLUTION
    if len(times) == 0:
        raise ValueError("no times, so there is nothing to summarize")
    ### EQUIVALENT a6bc44a1 by times: the median is of float64 for whole numbers too
    ### EQUIVALENT 715a8d38 by times: numpy makes the array itself, where a median is taken from it
    taken = np.array(times, dtype=np.float64)
    median = np.median(taken)
    ### EQUIVALENT 6628094b by times: the distance of two numbers has no direction
    distances = np.abs(taken - median)
    spread = np.median(distances)
    return {
        "median_ms": float(median),
        "spread_ms": float(spread),
        "outliers": int(np.sum(distances > 5 * spread)),
        "runs": len(taken),
    }
    ### END SOLUTION

# %% tags=["raises-exception"] nbgrader={"grade": true, "grade_id": "test_summarize_times", "locked": true, "points": 8, "schema_version": 3, "solution": false, "task": false}
summary = summarize_times([4.0, 5.0, 400.0, 6.0, 5.5])
keys, median = sorted(summary), float(summary["median_ms"])
spread, outliers = float(summary["spread_ms"]), float(summary["outliers"])
### JUDGE
assert keys == ["median_ms", "outliers", "runs", "spread_ms"], f"the keys are median_ms, spread_ms, outliers and runs, got {keys}"
assert median == 5.5, f"in order the times are 4, 5, 5.5, 6 and 400, and the one in the middle is 5.5, got {median}"
assert spread == 0.5, f"their distances from 5.5 are 1.5, 0.5, 0, 0.5 and 394.5, in the middle 0.5, got {spread}"
assert outliers == 1, f"only 400 lies farther from 5.5 than 5 times 0.5, got {outliers} outliers"
### BEGIN HIDDEN TESTS
rows = [
    [7.0, 1.0, 3.0, 2.0],
    [8.0, 8.0, 8.0],
    [2.5],
    [9.0, 11.0, 9.0, 11.0, 10.0, 15.0, 5.0],
    [9.0, 11.0, 9.0, 11.0, 10.0, 15.25, 4.75],
    [3.0, 3.0, 3.0, 3.0, 3.25],
    [100.0, 1.0, 100.5, 101.0, 99.5, 100.25, 99.0],
    [1.0, 2.0, 4.0, 8.0, 16.0, 32.0],
    [20.0, 19.5, 20.5, 19.5, 20.5, 16.5, 23.5],
    [20.0, 18.0, 22.0, 18.0, 22.0, 11.0, 29.0],
]
answers = [summarize_times(list(row)) for row in rows]
figures = [[float(answer[key]) for key in ("median_ms", "spread_ms", "outliers", "runs")] for answer in answers]
handed = [5.0, 1.0, 4.0]
summarize_times(handed)
left_behind = [float(ms) for ms in handed]
as_array = float(summarize_times(np.array([1.0, 6.0, 2.0]))["median_ms"])
slow = summarize_times([70_000.0, 70_000.0 + 2**-10, 70_000.0 + 3 * 2**-10])
slow_figures = [float(slow["median_ms"]), float(slow["spread_ms"])]
nothing = error_of(lambda: summarize_times([]), ValueError)
### JUDGE
want = [
    [2.5, 1.0, 0, 4], [8.0, 0.0, 0, 3], [2.5, 0.0, 0, 1], [10.0, 1.0, 0, 7],
    [10.0, 1.0, 2, 7], [3.0, 0.0, 1, 5], [100.0, 0.5, 1, 7], [6.0, 4.5, 1, 6], [20.0, 0.5, 2, 7], [20.0, 2.0, 0, 7],
]
assert isinstance(figures, list) and len(figures) == len(want) and all(len(row) == 4 for row in figures), (
    "summarize_times must give one number for each key"
)
assert [row[0] for row in figures] == [row[0] for row in want], (
    "median_ms must come from the times put in order: is an even number of them right as well?"
)
assert [row[1] for row in figures] == [row[1] for row in want], (
    "spread_ms must be the median of the distances from the median, as positive numbers"
)
assert [row[2] for row in figures[:2]] == [0, 0] and figures[2][2] == 0, (
    "times that are all alike, or a single one, have no outliers"
)
assert figures[5][2] == 1, "where the spread is 0, whatever is not the median is an outlier"
assert [row[2] for row in figures[3:5]] == [0, 2] and [row[2] for row in figures[7:]] == [1, 2, 0], "an outlier is farther than 5 times the spread, on either side"
assert figures[6][2] == 1, "a time that is far too short is an outlier as well"
assert [row[3] for row in figures] == [row[3] for row in want], "runs must be the number of times, outliers included"
assert left_behind == [5.0, 1.0, 4.0], "summarize_times must not change the list that it is given, not even its order"
assert as_array == 2.0, "an array of times must do as well as a list"
assert slow_figures == [70_000.0 + 2**-10, 2**-10], "runs of a minute must be told apart by a thousandth of a millisecond"
assert nothing == "ValueError", "no times must raise ValueError"
### END HIDDEN TESTS

# %% [markdown]
# ### Validate: which figure stands fast?
#
# The same reader is measured eight times, in three ways. **Predict before you run:** which of them scatters least? The cell
# says what it was here.

# %% [markdown]
# **Validate** (not graded)

# %% tags=["validate", "raises-exception"]
def reader_run(name, images=1):
    return forward_run(READERS[name], Tensor(test_images.data[:images]))


ways = {"first run only": [], "mean of 40": [], "median of 40": []}
for _ in range(8):
    ways["first run only"].append(run_times(reader_run("small"), 0, 1)[0])
    times = run_times(reader_run("small"), 5, 40)
    ways["mean of 40"].append(float(np.mean(times)))
    ways["median of 40"].append(summarize_times(times)["median_ms"])
scatter = {way: (max(taken) - min(taken)) / float(np.median(taken)) for way, taken in ways.items()}
for way, taken in ways.items():
    print(f"{way:<15} from {min(taken):.4f} to {max(taken):.4f} ms: {scatter[way]:.0%} of the one in the middle")
print(f"\nleast scattered here: {min(scatter, key=scatter.get)}")
print("a summary of the last 40:", {key: round(value, 4) for key, value in summarize_times(times).items()})

# %% [markdown]
# ### Exercise 9: `observed_memory` (6 points, about 30 minutes)
#
# How much memory does a forward pass take? Not "twice the input", as some profilers assume: look while it
# runs. Python's `tracemalloc` is told of every allocation, numpy's arrays included:
#
# - `tracemalloc.get_traced_memory()` gives two numbers of bytes: what is in use now, and the most that was in use
#   since the last reset;
# - `tracemalloc.reset_peak()` is that reset;
# - `with tracing():` (given) switches it on inside, and leaves it as it was afterwards, also after an error.
#
# Other things may be in use already when you start: only what the run *adds* is its own. And what a run
# returns stays in use only as long as somebody holds it.

# %% nbgrader={"grade": false, "grade_id": "observed_memory", "locked": false, "schema_version": 3, "solution": true, "task": false}
#| export
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
    ### BEGIN SOLUTION
    with tracing():
        before, _ = tracemalloc.get_traced_memory()
        tracemalloc.reset_peak()
        result = run()
        after, peak = tracemalloc.get_traced_memory()
        del result
    return peak - before, after - before
    ### END SOLUTION

# %% tags=["raises-exception"] nbgrader={"grade": true, "grade_id": "test_observed_memory", "locked": true, "points": 6, "schema_version": 3, "solution": false, "task": false}
def scratch_and_result():
    """3 MB that are gone at the end, then 1 MB that stays."""
    scratch = np.zeros(3 * MB, dtype=np.uint8)
    del scratch
    return np.zeros(MB, dtype=np.uint8)


peak, retained = (float(number) for number in observed_memory(scratch_and_result))
### JUDGE
assert 3.0 <= peak / 2**20 < 3.1, f"at its height the run holds 3 MB, got {peak / 2**20:.2f} MB"
assert 1.0 <= retained / 2**20 < 1.1, f"at its end the result of 1 MB is left, got {retained / 2**20:.2f} MB"
### BEGIN HIDDEN TESTS
class Spilled(Exception):
    pass


def both_at_once():
    first = np.zeros(2 * MB, dtype=np.uint8)
    second = np.ones(MB // 2, dtype=np.uint8)
    return second, first[:0].copy()


runs_made = []


def spill_once():
    runs_made.append(1)
    raise Spilled("no room")


peak_both, retained_both = (float(number) for number in observed_memory(both_at_once))
with tracing():
    standing = np.zeros(4 * MB, dtype=np.uint8)
    higher = np.zeros(8 * MB, dtype=np.uint8)
    del higher
    peak_later, retained_later = (float(number) for number in observed_memory(scratch_and_result))
    del standing
spilled = error_of(lambda: observed_memory(spill_once), Spilled)
number_of_runs = len(runs_made)
### JUDGE
assert number_of_runs == 1, "the run must be made once, or its memory is that of several"
assert 2.5 <= peak_both / 2**20 < 2.6, "what is there at the same moment must be added up"
assert 0.5 <= retained_both / 2**20 < 0.6, "retained must be what is left at the end, with the result"
assert 3.0 <= peak_later / 2**20 < 3.1, (
    "what was in use before the run, and a higher peak before it, must not count as the run's"
)
assert 1.0 <= retained_later / 2**20 < 1.1, "what was in use before the run must not count as left by it"
assert spilled == "Spilled", "an error in the run must be raised"
### END HIDDEN TESTS

# %% [markdown]
# ### Exercise 10: `time_steps` (5 points, about 20 minutes)
#
# Training runs forward *and* backward. Public profilers often report the forward pass times two; you run
# both. A `TrainingStep` (given, in `runs`) has three methods:
#
# - `step.forget()` drops the gradients of the round before: else backward *adds* to them, and that is other work;
# - `end = step.forward()` runs forward and records what backward needs;
# - `step.backward(end)` goes back through that recording, once.
#
# Time forward and backward apart in every round, and give the median of each. `np.median` will do here.

# %% nbgrader={"grade": false, "grade_id": "time_steps", "locked": false, "schema_version": 3, "solution": true, "task": false}
#| export
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
    ### BEGIN SOLUTION
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
    ### END SOLUTION

# %% tags=["raises-exception"] nbgrader={"grade": true, "grade_id": "test_time_steps", "locked": true, "points": 5, "schema_version": 3, "solution": false, "task": false}
clock = HandClock()
step = RehearsedStep(clock, forward_ms=[4.0, 2.0, 3.0], backward_ms=[9.0, 50.0, 7.0])
forward_ms, backward_ms = (float(ms) for ms in time_steps(step, 3, clock))
rounds_made = step.rounds
### JUDGE
assert rounds_made == 3, f"three rounds are to be made, forward and backward, got {rounds_made}"
assert forward_ms == 3.0, f"the forward passes take 4, 2 and 3 ms, the median is 3, got {forward_ms}"
assert backward_ms == 9.0, f"the backward passes take 9, 50 and 7 ms, the median is 9, got {backward_ms}"
### BEGIN HIDDEN TESTS
class Stuck(Exception):
    pass


def rehearsed(there, back, late):
    """What is measured of a step that is slower by `late` where old gradients are still there."""
    clock, rounds, ends, gradients = HandClock(), [], [], ["old"]

    def forward():
        clock.advance(there[len(rounds)])
        ends[:] = [object()]
        return ends[0]

    def backward(end):
        if not ends or end is not ends.pop():
            raise RuntimeError("a backward pass goes back through the forward pass before it, once")
        clock.advance(back[len(rounds)] + late * len(gradients))
        gradients.append("new")
        rounds.append(1)

    step = SimpleNamespace(forget=gradients.clear, forward=forward, backward=backward)
    return [float(ms) for ms in time_steps(step, len(there), clock)] + [len(rounds)]


def stuck(end):
    raise Stuck("no way back")


single = rehearsed([6.0], [1.5], 1000.0)
even = rehearsed([1.0, 5.0, 2.0, 400.0], [30.0, 10.0, 900.0, 20.0], 1000.0)
stuck_step = RehearsedStep(HandClock(), [1.0] * 3, [1.0] * 3)
stuck_step.backward = stuck
raised = error_of(lambda: time_steps(stuck_step, 3, stuck_step.clock), Stuck)
### JUDGE
assert isinstance(single, list) and len(single) == 3, "time_steps must return two numbers"
assert single[0] == 6.0 and even[0] == 3.5, "forward_ms must be the median of the forward passes alone"
assert single[1] == 1.5 and even[1] == 25.0, (
    "backward_ms must be the median of the backward passes alone, each made without old gradients"
)
assert single[2] == 1 and even[2:] == [4], "there must be as many rounds as asked for"
assert raised == "Stuck", "an error in the backward pass must be raised"
### END HIDDEN TESTS

# %% [markdown]
# ## 4. Judge: what holds a model back?
#
# Whatever a program does, it moves bytes and makes operations. Its **arithmetic intensity** is the number of operations
# for each byte that is moved. A machine has two peaks, like those of part 1.3: `gflops` ($10^9$ operations per second) and
# `bandwidth_mbs` (MB per second, 2**20 bytes each). With intensity $I$ a program cannot make more operations per second
# than
#
# $$\min(\text{peak},\ I \cdot \text{bandwidth})$$
#
# Drawn over $I$ this is a slope and a flat top: the **roofline** (Williams, Waterman and Patterson, 2009). Where they
# meet is the machine's *balance*, `machine.balance` FLOPs per byte, also called the ridge. A program to the left of it is
# bound by **memory**; at the ridge or to the right of it, by **compute**. How near it comes to the roof is another question: a share of
# the peak does not say what the limit is.

# %% [markdown]
# **Predict before you run:** on this machine, how many operations can be made while one byte moves? Part 1.3 has printed
# what you need.
#
# **Validate** (not graded): this machine's roof

# %% tags=["validate"]
machine = measure_machine()
print(f"peak        {machine.gflops:10.1f} GFLOP/s")
print(f"bandwidth   {machine.bandwidth_mbs:10,.0f} MB/s")
print(f"  in cache  {copy_speed[64]:10,.0f} MB/s  (the copy of 64 kB in part 1.3, which is not what counts here)")
print(f"balance     {machine.balance:10.1f} FLOPs for each byte")
smallest_square = next(n for n in range(1, 100_000) if 2 * n**3 / (3 * 4 * n**2) >= machine.balance)
print(f"a product of float32 matrices, read and written once, is compute-bound here from side {smallest_square} on")

# %% [markdown]
# ### Exercise 11: `roofline` (8 points, about 30 minutes)
#
# Mind the units: times are in milliseconds, bandwidth is in MB of 2**20 bytes, a GFLOP is $10^9$ operations.
# A layer that moves nothing and computes nothing (Dropout, when it does not train) is no division by zero: take 1 byte
# where none is moved.

# %% nbgrader={"grade": false, "grade_id": "roofline", "locked": false, "schema_version": 3, "solution": true, "task": false}
#| export
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
    ### BEGIN SOLUTION
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
    ### END SOLUTION

# %% tags=["raises-exception"] nbgrader={"grade": true, "grade_id": "test_roofline", "locked": true, "points": 8, "schema_version": 3, "solution": false, "task": false}
RATES = (
    "gflops_per_second", "memory_bandwidth_mbs", "arithmetic_intensity", "attainable_gflops_per_second",
    "computational_efficiency",
)
result = roofline(50_000_000, 10 * 2**20, 5.0, Machine(gflops=40.0, bandwidth_mbs=8000.0))
rates = [float(result[key]) for key in RATES]
limit = result["bottleneck"]
### JUDGE
assert len(rates) == 5, "there must be one number for each key"
assert np.isclose(rates[0], 10.0, rtol=1e-10, atol=0), f"50 million operations in 5 ms are 10 GFLOP/s, got {rates[0]}"
assert np.isclose(rates[1], 2000.0, rtol=1e-10, atol=0), f"10 MB in 5 ms are 2,000 MB/s, got {rates[1]}"
assert np.isclose(rates[2], 4.76837158203125, rtol=1e-10, atol=0), (
    f"50 million operations on 10 MB are 4.77 FLOPs for each byte, got {rates[2]}"
)
assert np.isclose(rates[3], 40.0, rtol=1e-10, atol=0), (
    f"8,000 MB/s at 4.77 FLOPs for each byte are just what the peak allows, 40 GFLOP/s, got {rates[3]}"
)
assert np.isclose(rates[4], 0.25, rtol=1e-10, atol=0), f"10 of 40 GFLOP/s are a fraction of 0.25, got {rates[4]}"
assert limit == "compute", f"the intensity is exactly the machine's balance, and at the ridge the limit is compute, got {limit}"
### BEGIN HIDDEN TESTS
SLOW_MEMORY, FAST_MEMORY = (64.0, 500.0), (2.0, 20_000.0)
cases = [
    (3_000_000, 600_000, 0.75, SLOW_MEMORY), (3_000_000, 600_000, 0.75, FAST_MEMORY), (0, 4096, 0.5, SLOW_MEMORY),
    (12, 0, 0.25, FAST_MEMORY), (1_000_000_000, 1000, 20.0, SLOW_MEMORY), (1000, 100_003, 7.0, FAST_MEMORY),
    (12_000_000, 100_000, 3.0, SLOW_MEMORY), (12_300_000, 100_000, 3.0, SLOW_MEMORY),
]
results = [roofline(flops, moved, ms, Machine(*peaks)) for flops, moved, ms, peaks in cases]
table = [[float(result[key]) for key in RATES] for result in results]
limits = [result["bottleneck"] for result in results]
### JUDGE
want = []
want_limits = []
for flops, moved, ms, (top, megabytes) in cases:
    density = flops / max(moved, 1)
    per_second = flops / ms * 1000 / 10**9
    slope = density * megabytes * 2**20 / 10**9
    want.append([per_second, moved / 2**20 * 1000 / ms, density, min(top, slope), per_second / top])
    want_limits.append("compute" if slope >= top else "memory")
assert isinstance(table, list) and len(table) == len(want) and all(len(row) == 5 for row in table), (
    "roofline must give one number for each key"
)
got, right = np.array(table), np.array(want)
same = np.isclose(got, right, rtol=1e-10, atol=0)
assert same[:, 0].all(), "gflops_per_second must be operations by seconds, in thousands of millions"
assert same[:, 1].all(), "memory_bandwidth_mbs must be MB of 2**20 bytes by seconds"
assert same[:, 2].all(), "arithmetic_intensity must be operations by bytes; where no byte is moved, by 1"
assert same[:, 3].all(), "attainable_gflops_per_second must be the lower of the slope and the flat top of this machine"
assert same[:, 4].all(), "computational_efficiency must be a fraction of this machine's peak"
assert limits == want_limits, "the bottleneck must follow from the intensity and the balance of the machine, not from the time"
### END HIDDEN TESTS

# %% [markdown]
# ### Exercise 12: `weight_distribution` (5 points, about 20 minutes)
#
# Module 17 will ask which weights are needed at all. A first look: how large are they? Only magnitudes matter, and
# only **weights**: tensors of two axes or more. Biases and the scales of norms have one axis and are left out.
# One trap: weights may be INT8 codes (module 16), and `np.abs(np.int8(-128))` does not fit into INT8.

# %% nbgrader={"grade": false, "grade_id": "weight_distribution", "locked": false, "schema_version": 3, "solution": true, "task": false}
#| export
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
    ### BEGIN SOLUTION
    ### EQUIVALENT c4bd4101 by coarse_weights: weights are float32, and percentages of them have no more digits
    weights = [tensor.data.ravel().astype(np.float64) for tensor in parameters if len(tensor.shape) >= 2]
    ### EQUIVALENT 396bb9af by weights: a sum is 0 where the largest is, and max raises ValueError as well
    if not sum(weight.size for weight in weights):
        ### EQUIVALENT ad4bd40f by weights: numpy raises ValueError where it joins no arrays, or takes the least of none
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
    ### END SOLUTION

# %% tags=["raises-exception"] nbgrader={"grade": true, "grade_id": "test_weight_distribution", "locked": true, "points": 5, "schema_version": 3, "solution": false, "task": false}
weight = Tensor(np.array([[-4.0, 0.05, 0.005], [2.0, 0.0005, 0.0]]))
figures = weight_distribution([weight, Tensor([9.0, 9.0])], [50])
keys = sorted(figures)
largest, middle, tenth = float(figures["max"]), float(figures["percentile_50"]), float(figures["below_threshold_01"])
### JUDGE
names = ["below_threshold_0001", "below_threshold_001", "below_threshold_01", "max", "mean", "min"]
assert keys == [*names, "percentile_50", "std", "total_weights"], f"these keys are not the ones that are asked for: {keys}"
assert largest == 4.0, f"the largest magnitude is that of -4; biases are left out, got {largest}"
assert np.isclose(middle, 0.0275), f"the median magnitude lies between 0.005 and 0.05, got {middle}"
assert np.isclose(tenth, 100 * 4 / 6), f"4 of 6 magnitudes are below 0.1, that is 66.67 percent, got {tenth}"
### BEGIN HIDDEN TESTS
rng = np.random.default_rng(1412)
arrays = [
    rng.normal(0, 0.05, size=(30, 7)).astype(np.float32), rng.normal(0, 0.002, size=(3, 2, 5, 5)).astype(np.float32),
    rng.normal(5, 1, size=40).astype(np.float32), np.zeros((1, 3), dtype=np.float32),
]
handed = [Tensor(array.copy()) for array in arrays]
mixed = weight_distribution(handed, [0, 10, 97.5, 100])
NAMES = ["total_weights", "mean", "std", "min", "max", "percentile_0", "percentile_10", "percentile_97.5", "percentile_100"]
NAMES += ["below_threshold_0001", "below_threshold_001", "below_threshold_01"]
mixed_figures = [float(mixed[name]) for name in NAMES]
untouched = [tensor.data for tensor in handed]
codes = weight_distribution([Tensor(np.array([[-128, 127], [1, 0]], dtype=np.int8))], [75])
code_figures = [float(codes[name]) for name in ("min", "max", "mean", "percentile_75", "below_threshold_01")]
edge = float(weight_distribution([Tensor(np.array([[0.5, 0.1]]), dtype=np.float64)], [])["below_threshold_01"])
alone = float(weight_distribution([Tensor([[-3.0]])], [])["std"])
nothing = error_of(lambda: weight_distribution([Tensor([1.0, 2.0])], [50]), ValueError)
no_rows = error_of(lambda: weight_distribution([Tensor(np.zeros((0, 3)))], [50]), ValueError)
### JUDGE
sizes = np.abs(np.concatenate([arrays[at].ravel() for at in (0, 1, 3)]).astype(np.float64))
want = [sizes.size, sizes.mean(), sizes.std(), sizes.min(), sizes.max()]
want += [np.percentile(sizes, percent) for percent in (0, 10, 97.5, 100)]
want += [100 * np.mean(sizes < limit) for limit in (0.001, 0.01, 0.1)]
assert isinstance(mixed_figures, list) and len(mixed_figures) == len(want), "there must be one number for each key"
same = np.isclose(np.array(mixed_figures), np.array(want), rtol=1e-5, atol=1e-9)
assert same[0], "total_weights must count the elements of all tensors of two axes or more, and of no others"
assert same[1:5].all(), "mean, std, min and max must be those of the magnitudes"
assert same[5:9].all(), "each percentile must be that of the magnitudes, under the name percentile_<p>"
assert same[9:].all(), "the thresholds are 0.001, 0.01 and 0.1, and the answer is in percent"
assert isinstance(untouched, list) and len(untouched) == 4 and all(
    np.array_equal(after, before) for after, before in zip(untouched, arrays, strict=True)
), "the parameters must not be changed"
assert isinstance(code_figures, list) and len(code_figures) == 5 and np.allclose(code_figures, [0.0, 128.0, 64.0, 127.25, 25.0]), (
    "weights of INT8 have magnitudes up to 128: leave their type before you take them"
)
assert alone == 0.0, "a single weight is enough"
assert edge == 0.0, "a magnitude that is exactly the threshold is not below it"
assert nothing == "ValueError" and no_rows == "ValueError", "where there are no weights, raise ValueError"
### END HIDDEN TESTS

# %% [markdown]
# ## 5. Put together (given): the `Profiler`
#
# Nothing in this class is new: it runs a model, calls your functions and names the results. Read it once, to know
# what stands behind each figure. The other modules use it under these names.

# %% nbgrader={"grade": false, "grade_id": "profiler", "locked": true, "schema_version": 3, "solution": false, "task": false}
#| export
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

# %% [markdown]
# ## 6. Validate: the three readers again
#
# ### 6.1 Everything that can be known about them
#
# **Predict before you run:** put the three readers in order, by parameters, by FLOPs and by latency for one
# image. Then see where your three orders agree with the measured ones.

# %% [markdown]
# **Validate** (not graded)

# %% tags=["validate", "raises-exception"]
profiler = Profiler()
profiler.machine = machine
profiles = {}
print(f"{'reader':<14} {'images':>6} {'parameters':>10} {'FLOPs':>11} {'latency, ms':>19} {'outliers':>8} {'peak MB':>8} {'FLOP/byte':>10}  limit")
for name, model in READERS.items():
    for images in (1, 64):
        x = Tensor(test_images.data[:images])
        profile = profiles[name, images] = profiler.profile_forward_pass(model, x)
        timed = profile["times"] = profiler.latency_statistics(model, x, warmup=5, iterations=60)
        print(f"{name:<14} {images:>6} {profile['parameters']:>10,} {profile['flops']:>11,} "
              f"{timed['median_ms']:>9.4f} ± {timed['spread_ms']:>7.4f} {timed['outliers']:>8} "
              f"{profile['peak_memory_mb']:>8.3f} {profile['arithmetic_intensity']:>10.2f}  {profile['bottleneck']}")

print()
for label, key in (("parameters", "parameters"), ("FLOPs", "flops"), ("latency", "median_ms")):
    figures = {name: (profiles[name, 1] | profiles[name, 1]["times"])[key] for name in READERS}
    print(f"by {label:<11} from least to most: {', '.join(sorted(figures, key=figures.get))}")
for name in READERS:
    gain = 64 * profiles[name, 1]["times"]["median_ms"] / profiles[name, 64]["times"]["median_ms"]
    print(f"{name:<14} an image in a batch of 64 takes 1/{gain:.1f} of the time of an image by itself")

# %% [markdown]
# One reader by itself, and one of its layers:

# %% [markdown]
# **Validate** (not graded)

# %% tags=["validate", "raises-exception"]
quick_profile(READERS["convolutional"], one_image, profiler)
print()
for name, figure in profiler.profile_layer(READERS["convolutional"].layers[0], one_image.shape).items():
    print(f"{name:<22} {figure if isinstance(figure, str | int) else format(figure, '.4g')}")

# %% [markdown]
# And the decision. The device below is **an assumption of this notebook**; change it to one of your own.

# %% [markdown]
# **Validate** (not graded)

# %% tags=["validate", "raises-exception"]
DEVICE = {"accuracy at least": 0.88, "parameters, kB": 32, "FLOPs for an image": 100_000}

for name, model in READERS.items():
    profile = profiles[name, 1]
    measured = {
        "accuracy at least": accuracy(model),
        "parameters, kB": 1024 * profile["parameter_memory_mb"],
        "FLOPs for an image": profile["flops"],
    }
    broken = [
        f"{need} {limit:g} (it has {measured[need]:.4g})"
        for need, limit in DEVICE.items()
        if (measured[need] < limit if need.startswith("accuracy") else measured[need] > limit)
    ]
    print(f"{name:<14} {'fits' if not broken else 'does not fit: ' + '; '.join(broken)}")

# %% [markdown]
# ### 6.2 Under the roof of this machine
#
# Single layers, and the readers as a whole. **Predict before you run:** which way does a larger batch move a linear layer in this
# picture, and why?

# %% [markdown]
# **Validate** (not graded)

# %% tags=["validate", "raises-exception"]
placed = {}
for label, layer, shape in (
    ("Linear 256, batch 1", Linear(256, 256), (1, 256)),
    ("Linear 256, batch 16", Linear(256, 256), (16, 256)),
    ("Linear 256, batch 256", Linear(256, 256), (256, 256)),
    ("Conv2d 8 to 16, batch 16", Conv2d(8, 16, 3, padding=1), (16, 8, 16, 16)),
    ("ReLU, a million numbers", ReLU(), (1000, 1000)),
):
    placed[label] = profiler.profile_forward_pass(layer, Tensor(np.random.default_rng(0).normal(size=shape)))
for (name, images), profile in profiles.items():
    placed[f"{name} reader, batch {images}"] = profile

print(f"{'what':<31} {'FLOP/byte':>10} {'GFLOP/s':>9} {'roof there':>11} {'of that':>8}  limit")
for label, profile in placed.items():
    roof = profile["attainable_gflops_per_second"]
    reached = profile["gflops_per_second"] / roof if roof else 0.0
    print(f"{label:<31} {profile['arithmetic_intensity']:>10.3f} {profile['gflops_per_second']:>9.3f} {roof:>11.2f} "
          f"{reached:>8.1%}  {profile['bottleneck']}")
misled = sum(
    (profile["computational_efficiency"] < 0.5) != (profile["bottleneck"] == "memory") for profile in placed.values()
)
print(f'\na rule such as "below half of the peak, so memory is the limit" would misjudge {misled} of these {len(placed)}')
above = [profile for profile in placed.values() if profile["gflops_per_second"] > profile["attainable_gflops_per_second"] > 0]
beyond = [profile for profile in above if profile["gflops_per_second"] > machine.gflops]
if beyond:
    print(f"{len(beyond)} ran quicker than the measured peak: the machine was busy when that was measured. Measure it again, "
          "above exercise 11, and run what follows again")
elif above:
    print(f"{len(above)} lie above the slope: their bytes need not come from memory as long as they fit into the cache")

# %% tags=["validate", "raises-exception"] jupyter={"source_hidden": true}
plt = pyplot()
if plt and placed:
    figure, axis = plt.subplots(figsize=(8, 4.6))
    intensities = np.logspace(-2, 3, 200)
    roof = np.minimum(machine.gflops, intensities * machine.bandwidth_mbs * MB / 1e9)
    axis.loglog(intensities, roof, color="0.3")
    axis.axvline(machine.balance, color="0.7", linestyle="--", linewidth=1)
    axis.text(machine.balance * 1.1, 0.03, "balance of this machine", color="0.4", fontsize=8, transform=axis.get_xaxis_transform())
    for number, (label, profile) in enumerate(placed.items()):
        marker = "o" if profile["bottleneck"] == "memory" else "s"
        axis.plot(
            profile["arithmetic_intensity"], max(profile["gflops_per_second"], 1e-4), marker,
            color=plt.cm.tab20(number), label=label,
        )
    axis.set_xlabel("FLOPs for each byte")
    axis.set_ylabel("GFLOP/s")
    axis.legend(fontsize=7, loc="center left", bbox_to_anchor=(1.0, 0.5))
    axis.set_title("circles: left of the balance; squares: at it or right of it", fontsize=9)
    figure.tight_layout()
    plt.show()

# %% [markdown]
# ### 6.3 An ablation: another peak, another answer?
#
# Suppose that somebody measures the bandwidth with a copy of 64 kB. The cell puts this figure in the place of the
# honest one, and changes nothing else; then it does the same with the peak, and a product of side 32.
# **Predict before you run:** which way does each of the two move the balance?

# %% [markdown]
# **Validate** (not graded)

# %% tags=["validate", "raises-exception"]
cached = Machine(gflops=machine.gflops, bandwidth_mbs=copy_speed[64])
tiny_product = Machine(gflops=product_speed[32], bandwidth_mbs=machine.bandwidth_mbs)
print(f"balance: {machine.balance:.1f} as measured, {cached.balance:.1f} with a copy of 64 kB, "
      f"{tiny_product.balance:.1f} with a product of side 32")
for wrong, why in ((cached, "the small copy"), (tiny_product, "the small product")):
    turned = [
        label
        for label, profile in placed.items()
        if (profile["arithmetic_intensity"] < wrong.balance) != (profile["bottleneck"] == "memory")
    ]
    print(f"with {why} the limit of {len(turned)} of {len(placed)} comes out differently")
    print("".join(f"    {label}\n" for label in turned), end="")

# %% [markdown]
# ### 6.4 What training costs beyond that
#
# By count, a backward pass takes twice the operations of the forward pass: for each matrix product there are two,
# one by the input and one by the weight. **Predict before you run:** is it twice the time as well?

# %% [markdown]
# **Validate** (not graded)

# %% tags=["validate", "raises-exception"]
labels = Tensor(test_labels.data[:64])
print(f"{'reader':<14} {'forward ms':>11} {'backward ms':>12} {'ratio':>6} {'forward MB':>11} {'both MB':>8} {'Adam MB':>8} {'by count':>9}")
for name, model in READERS.items():
    trained = profiler.profile_backward_pass(
        model, Tensor(test_images.data[:64]), lambda output: CrossEntropyLoss()(output, labels)
    )
    forward_ms, backward_ms = trained["forward_latency_ms"], trained["backward_latency_ms"]
    print(f"{name:<14} {forward_ms:>11.3f} {backward_ms:>12.3f} {backward_ms / forward_ms:>6.2f} "
          f"{trained['forward_memory_mb']:>11.3f} {trained['total_memory_mb']:>8.3f} "
          f"{trained['optimizer_memory_estimates']['adam']:>8.3f} "
          f"{trained['backward_flops'] / trained['forward_flops']:>9.2f}")

# %% [markdown]
# ### 6.5 A look ahead: how large are trained weights?
#
# **Predict before you run:** how many percent of a reader's weights are smaller than 0.01?

# %% [markdown]
# **Validate** (not graded)

# %% tags=["validate", "raises-exception"]
for name, model in READERS.items():
    sizes = analyze_weight_distribution(model)
    print(f"{name:<14} {sizes['total_weights']:>6,} weights: half of them below {sizes['percentile_50']:.3f}, the largest "
          f"{sizes['max']:.3f}; {sizes['below_threshold_001']:.1f} % are below 0.01")

# %% tags=["validate", "raises-exception"] jupyter={"source_hidden": true}
plt = pyplot()
weights = {
    name: np.concatenate([weight.data.ravel() for weight in model_parameters(model) if weight.data.ndim > 1])
    for name, model in READERS.items()
}
if plt:
    figure, axes = plt.subplots(1, 3, figsize=(9, 2.8))
    for axis, name in zip(axes, READERS):
        axis.hist(weights[name], bins=60, color="0.45")
        axis.set_title(f"{name} reader", fontsize=9)
        axis.set_xlabel("weight")
    axes[0].set_ylabel("how many")
    figure.tight_layout()
    plt.show()

# %% [markdown]
# ## 7. Two questions to answer in writing
#
# Use figures from your own notebook. Half a page each is enough. There is no figure that you have to have found: what counts is whether your
# argument follows from yours.

# %% [markdown] nbgrader={"grade": false, "grade_id": "task_orders", "locked": true, "points": 10, "schema_version": 3, "solution": false, "task": true}
# **Question 1 (10 points, about 25 minutes): counts and times.**
# Section 6.1 puts the three readers in order by parameters, by FLOPs and by latency.
#
# a) Write down your three orders for one image. Choose two readers for which two of the orders disagree, or say that
# none do, and explain what you see with at least two further figures of sections 6.1 or 6.2.
#
# b) A colleague has halved the FLOPs of a model and announces that it will now answer in half the time. Under which
# condition on the model and the machine would that hold? Which figure of your profiler tells you whether the condition is met, and what is its value for one reader?
#
# === BEGIN MARK SCHEME ===
# a) 5 points: the three orders as the writer's own cell printed them (1); two readers chosen and the disagreement
# stated, or its absence stated correctly (1); two further figures quoted (1); an explanation that follows from those figures,
# for example a weight of a convolution being used at many places, so that parameters do not set the operations; calls of Python and numpy per layer that no count
# contains, visible as a low share of the roof; windows that are copied (2). The direction in which the writer's own times
# go does not matter.
#
# b) 5 points: the time would have to be set by arithmetic: compute-bound, at or near the roof (2); names intensity against balance, and the
# share of the attainable rate, as the figures to look at (1 each); quotes the value for one reader and concludes
# correctly from it (1).
# === END MARK SCHEME ===

# %% [markdown]
# *Your answer:*

# %% [markdown] nbgrader={"grade": false, "grade_id": "task_trust", "locked": true, "points": 10, "schema_version": 3, "solution": false, "task": true}
# **Question 2 (10 points, about 25 minutes): which measurement do you trust?**
#
# a) From section 1.2 and the comparison after exercise 8: which of the three ways of timing would you report, and what do spread and outliers
# add that the median alone does not say? Quote your figures.
#
# b) Two versions of a model differ by about 3 % in latency. Design a measurement that could convince a sceptic that one
# is quicker: what is run, in which order, how often, what is compared with what, and when would you say "I cannot tell"?
#
# c) From section 6.3: what happens to the balance if the bandwidth is taken from a copy that fits into the cache, and what wrong advice
# could follow from it?
#
# === BEGIN MARK SCHEME ===
# a) 3 points: a choice that follows from the writer's own scatter (1), with the figures (1); spread says how far single runs differ
# and outliers how often something interfered, so whether two medians may be compared at all (1).
#
# b) 4 points: warm-up for both (1); the two take turns, on the same input, many times, so that drift meets both (1); medians or the ratio in pairs compared with the spread (1);
# a rule for undecided, fixed beforehand, such as a difference below the scatter of the medians when the whole measurement is repeated (1).
#
# c) 3 points: the writer's own two balances quoted (1); bandwidth that is too high lowers the balance, too low raises it, and the conclusion agrees with the figures quoted (1);
# wrong advice named: work on the arithmetic of something that waits for memory, or the reverse where the figures went
# the other way (1).
# === END MARK SCHEME ===

# %% [markdown]
# *Your answer:*

# %% [markdown]
# ## Summary
#
# - Parameters and operations are **counted**: they are the same everywhere, and wrong only if the counting is.
# - Time and memory are **observed**: warm up, repeat, take the median, say the spread, count the outliers, raise errors.
# - Limits are **compared**: intensity against the balance of the machine at hand, never a share of a peak.
#
# **Read on**
#
# - S. Williams, A. Waterman, D. Patterson: *Roofline: An Insightful Visual Performance Model for Multicore
#   Architectures*. CACM 52(4), 2009.
# - J. Kaplan et al.: *Scaling Laws for Neural Language Models*. arXiv:2001.08361, section 2.1, counts a transformer.
# - The documentation of `timeit`, `tracemalloc` and `pyperf`: how others keep a clock honest.
#
# **Further exercises** (not graded)
#
# 1. Teach the profiler a layer of your own with `@cost_rule`.
# 2. Draw your own machine's roofline for float64 as well. What moves?
# 3. Measure `summarize_times` itself: what does the profiler cost?
#
# **What comes next.** Module 15 begins with a profile: a transformer that writes text, and does the same work again and
# again. You now have the instrument to see it.
