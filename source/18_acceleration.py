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
#     number: 18
#     name: acceleration
#     title: Acceleration
#     tier: Optimization
#     difficulty: 3
#     time: 6-8 hours
#     prerequisites: [Profiling, Compression]
#     export: optimization.acceleration
#     summary: Do the same arithmetic with fewer trips to memory and fewer calls, and count what that saves.
# ---

# %% [markdown]
# # Module 18: Acceleration
#
# Module 17 left products out. This module keeps every one of them, and asks why they take as long as they do. A network
# of yours may use a hundredth of what the machine can do, and nothing in its formula says so: what costs is *how* the
# formula is carried out. How many calls does it take, how often does a number come from memory, how many bytes has it?
# These things can be counted. You count them, change them, and then look at the clock.
#
# **At stake:** a small network that reads handwritten digits. Its convolutions are written as the formula says, one
# window at a time. At the end of this module the same network, with the same weights and the same answers, stands on
# the same picture of your machine again, at another height. By how much, you measure.
#
# The path is the same as in the other optimization modules:
#
# | step | question | where |
# |---|---|---|
# | Profile | how far is each layer from what this machine can do? | part 1 |
# | Discover | which resource binds it? | part 1 |
# | Implement | fewer calls, fewer trips to memory, fewer bytes | parts 2 to 6 |
# | Validate | the network again: same answers, other height; and what each step is worth | part 7 |
#
# **When you are done you can**
#
# 1. place a layer on a roofline, and say which of calls, bytes or operations holds it back;
# 2. write a matrix product that reads tiles, and say how many numbers it moves at which tile size;
# 3. turn a convolution into a matrix product, for any stride, padding and window, and say what that costs in memory;
# 4. fuse a chain of element-wise steps, and count passes and buffers before and after;
# 5. keep numbers in 16 bits and sums in 32, and scale a loss so that gradients survive that;
# 6. hold every gain against a reference, in the same run, and every answer against the slow one.
#
# **What you need.** `Tensor` (module 01), `GELU` (02), `Linear` and `Sequential` (03), `CrossEntropyLoss` (04),
# gradients (05), `SGD` (06), the digits (08), `Conv2d` and its windows (09), `window_places`, `roofline` and the
# machine's peaks (14). The notebook runs on Python 3.11 or newer with numpy 2; the cells that draw, and nothing else,
# need matplotlib.
#
# **Connections**
#
# | module | gives this one | module | takes from it |
# |---|---|---|---|
# | 09 Spatial | windows that slide, and the layer that is made quick | 19 Benchmarking | two ways of doing the same, to be compared fairly |
# | 14 Profiling | operations, bytes, and the roof above them | 20 Capstone | what the closed division allows |
#
# **Where the code goes.** Cells that begin with `#| export` become `tinytorch.optimization.acceleration` when the module
# is *exported*, that is, written to a file.
#
# **How it is graded.** 80 points by tests, 20 for two written answers. When it is graded, further checks run on other
# inputs. Most test cells have two halves: above the line `### JUDGE` your code is run, below it the results are judged,
# elsewhere. Cells without that line **count work**: they lend your code matrices and buffers that stay with the grader,
# and count there what is read, written and allocated. No point hangs on how quick the machine is. Where processor time
# is compared at all, it is with a reference in the same run, and there is much room. Each test judges one exercise:
# `stand_ins` puts right answers of the earlier ones in their places while a test runs. A test that fails does not stop
# *Run all*. Cells marked **Warm-up** and **Validate** are never graded: run them, change them, break them.
#
# Units: 1 KB is 1024 bytes, GFLOP/s are 10⁹ operations per second, and a multiply-add is two operations (module 14).

# %% nbgrader={"grade": false, "grade_id": "setup", "locked": true, "schema_version": 3, "solution": false, "task": false}
#| export
from collections.abc import Sequence
from typing import Any

import numpy as np

from tinytorch.core.activations import GELU
from tinytorch.core.autograd import Function, Gradients, gradient_rule
from tinytorch.core.layers import Linear
from tinytorch.core.optimizers import Optimizer
from tinytorch.core.spatial import Conv2d
from tinytorch.core.tensor import Array, Tensor
from tinytorch.core.windows import SlidingWindow
from tinytorch.profiling.profiler import window_places

GELU_CUBIC = 0.044715
GELU_SCALE = float(np.sqrt(2 / np.pi))

# %% nbgrader={"grade": false, "grade_id": "workbench", "locked": true, "schema_version": 3, "solution": false, "task": false}
import copy
import time
import tracemalloc

from tinytorch.core.autograd import no_grad
from tinytorch.core.layers import Sequential
from tinytorch.core.losses import CrossEntropyLoss
from tinytorch.core.optimizers import SGD
from tinytorch.core.spatial import Flatten, MaxPool2d
from tinytorch.data.digits import load_digits
from tinytorch.data.loader import DataLoader, TensorDataset
from tinytorch.notebook import pyplot, refusal, stand_ins
from tinytorch.profiling.machine import measure_machine
from tinytorch.profiling.profiler import layer_cost, model_parameters, roofline, run_times, summarize_times


def loop_convolution(images, weight, bias, stride, padding):
    """A convolution as its formula says: for each image, channel and place, a window times a kernel."""
    sliding = SlidingWindow(weight.shape[2:], stride, padding)
    n, _, height, width = sliding.output_shape(images.shape)
    padded = sliding.padded(images)
    output = np.zeros((n, len(weight), height, width), dtype=np.float32)
    for place in np.ndindex(output.shape):
        image, channel, row, column = place
        top, left = row * stride[0], column * stride[1]
        window = padded[image, :, top : top + weight.shape[2], left : left + weight.shape[3]]
        output[place] = np.sum(window * weight[channel])
    return output if bias is None else output + bias[:, None, None]

# %% [markdown]
# ## 1. Warm-up: how far from the roof?
#
# ### 1.1 The network
#
# Two convolutions, GELU after each, one pool, and a `Linear` that decides among ten digits. It is trained with module
# 09's `Conv2d`; then each of its convolutions is replaced by a `LoopConv2d`, which has the same weights and does what
# the formula says: a window times a kernel, once for each image, each output channel and each place.
#
# **Warm-up** (not graded): train the network. That takes a second or two.

# %% tags=["warmup"]
class LoopConv2d(Conv2d):
    """A convolution with the weights of another one, window by window."""

    def __init__(self, conv):
        self.__dict__.update(conv.__dict__)

    def forward(self, x):
        sliding = SlidingWindow.of("LoopConv2d", self.kernel_size, self.stride, self.padding)
        bias = None if self.bias is None else self.bias.data
        return Tensor(loop_convolution(x.data, self.weight.data, bias, sliding.stride, sliding.padding))


def untrained(seed=18):
    """The network before it has learned anything."""
    np.random.seed(seed)
    convolutions = [Conv2d(1, 16, 3, padding=1), GELU(), MaxPool2d(2), Conv2d(16, 32, 3, padding=1), GELU()]
    return Sequential(*convolutions, Flatten(), Linear(32 * 16, 10))


def train(model, epochs=4, lr=0.05):
    """Train a model in place, as module 06 does; return it."""
    loader = DataLoader(TensorDataset(*load_digits("train")), batch_size=32, shuffle=True, seed=18)
    optimizer, loss_fn = SGD(model.parameters(), lr=lr, momentum=0.9), CrossEntropyLoss()
    for _ in range(epochs):
        for images, labels in loader:
            optimizer.zero_grad()
            loss_fn(model(images), labels).backward()
            optimizer.step()
    return model


def accuracy(model):
    """Share of the test digits that a model reads rightly."""
    images, labels = load_digits("test")
    with no_grad():
        return float(np.mean(model(images).data.argmax(axis=1) == labels.data))


network = train(untrained())
looped = Sequential(*(LoopConv2d(layer) if isinstance(layer, Conv2d) else layer for layer in network.layers))
BATCH = Tensor(load_digits("test")[0].data[:16])
with no_grad():
    apart = np.abs(network(BATCH).data - looped(BATCH).data).max()
print(f"the network reads {accuracy(network):.1%} of the test digits")
print(f"window by window, its scores for {len(BATCH.data)} digits differ by at most {apart:.1e}")

# %% [markdown]
# ### 1.2 What this machine can do
#
# Two peaks, measured here and now (module 14): operations per second, by a large matrix product; bytes per second, by
# copying far more than the caches hold. A layer that makes I operations for each byte that it has to move cannot be
# quicker than min(peak, I · bandwidth): that is the **roof** above it. The **distance** is the roof divided by what the
# layer reached: 1 would be at the roof.
#
# **Predict before you run.** Which of its layers will be farthest from its roof? By which factor?
#
# **Warm-up** (not graded): each layer's operations, time, roof and distance.

# %% tags=["warmup"]
machine = measure_machine()
print(f"{machine.gflops:.1f} GFLOP/s, {machine.bandwidth_mbs:,.0f} MB/s: {machine.balance:.1f} operations a byte")


def on_the_roofline(model, x):
    """Rows (name, operations, median ms, GFLOP/s, operations a byte, roof in GFLOP/s), one for each layer that computes."""
    rows = []
    with no_grad():
        for layer in model.layers:
            cost, before, y = layer_cost(layer, x.shape), x, layer(x)
            x = y
            if cost.flops == 0:
                continue
            times = run_times(lambda layer=layer, before=before: layer(before), warmup=1, iterations=7)
            milliseconds = summarize_times(times)["median_ms"]
            moved_bytes = 4 * cost.traffic + sum(tensor.nbytes for tensor in model_parameters(layer))
            under = roofline(cost.flops, moved_bytes, milliseconds, machine)
            figures = [
                under[key] for key in ("gflops_per_second", "arithmetic_intensity", "attainable_gflops_per_second")
            ]
            rows.append((type(layer).__name__, cost.flops, milliseconds, *figures))
    return rows


def print_rows(rows):
    print(f"{'layer':<18} {'operations':>11} {'ms':>9} {'GFLOP/s':>9} {'per byte':>9} {'roof':>8} {'distance':>9}")
    for name, flops, milliseconds, rate, intensity, roof in rows:
        print(
            f"{name:<18} {flops:>11,} {milliseconds:>9.3f} {rate:>9.3f} {intensity:>9.2f} {roof:>8.1f} {roof / rate:>9.1f}"
        )
    total_ms = sum(row[2] for row in rows)
    slowest = max(rows, key=lambda row: row[2])
    print(f"{total_ms:.2f} ms in all, {slowest[2] / total_ms:.0%} of it in the dearest layer, a {slowest[0]}")


rows_before = on_the_roofline(looped, BATCH)
print_rows(rows_before)

# %% [markdown]
# **Warm-up** (not graded): the same as a picture. Its code is folded; click on the dots to see it.

# %% tags=["warmup"] jupyter={"source_hidden": true}
def draw_roofline(axis, groups):
    """The machine's roof, and layers below it: groups of (label, marker, rows); names stand at the first group's."""
    intensities = np.geomspace(0.01, 1000, 200)
    roof = np.minimum(machine.gflops, intensities * machine.bandwidth_mbs * 2**20 / 1e9)
    axis.loglog(intensities, roof, color="0.3", label="roof of this machine")
    for label, marker, rows in groups:
        axis.loglog([row[4] for row in rows], [row[3] for row in rows], marker, label=label)
    for row in groups[0][2]:
        axis.annotate(row[0], (row[4], row[3]), textcoords="offset points", xytext=(5, -9), fontsize=6)
    axis.set_xlabel("operations for each byte that has to move")
    axis.set_ylabel("GFLOP/s")
    axis.legend(fontsize=7, loc="lower right")


plt = pyplot()
if plt:
    figure, axis = plt.subplots(figsize=(7, 4))
    draw_roofline(axis, [("layers, window by window", "o", rows_before)])
    figure.tight_layout()
    plt.show()

# %% [markdown]
# Two things can be read off. Under the sloping part of the roof bytes bind, under the flat part operations do. And a
# layer that hangs far below *both* is bound by neither: nothing in the formula explains it. What does it do all the
# time, then?
#
# ### 1.3 What a call costs
#
# The same number of multiply-adds, cut into ever more calls of numpy.
#
# **Predict before you run.** A product of 512 terms takes some time. Does the same in 64 calls of 8 terms take twice,
# ten times, or fifty times as long?
#
# **Warm-up** (not graded): one call, and many.

# %% tags=["warmup"]
TERMS = 512
row_of_numbers = np.random.default_rng(18).normal(size=TERMS).astype(np.float32)


def dot_in(calls):
    """The sum of squares, in so many calls."""
    size = TERMS // calls
    return sum(
        float(np.dot(row_of_numbers[start : start + size], row_of_numbers[start : start + size]))
        for start in range(0, TERMS, size)
    )


dearest = summarize_times(run_times(lambda: dot_in(1), warmup=20, iterations=200))["median_ms"]
print(f"{'calls':>6} {'terms each':>11} {'microseconds':>13} {'times as long':>14}")
for calls in (1, 4, 16, 64, 256):
    taken = summarize_times(run_times(lambda calls=calls: dot_in(calls), warmup=5, iterations=50))["median_ms"]
    print(f"{calls:>6} {TERMS // calls:>11} {1000 * taken:>13.1f} {taken / dearest:>14.1f}")
windows = sum(
    int(np.prod(layer_cost(layer, shape).output_shape))
    for layer, shape in (
        (looped.layers[0], BATCH.shape),
        (looped.layers[3], (len(BATCH.data), 16, 4, 4)),
    )
)
print(f"the two convolutions of the network make {windows:,} windows, each of them several calls")

# %% [markdown]
# So the first cure is not less arithmetic but **fewer calls**: hand whole matrices to a library that was written for
# them. The second is **fewer trips to memory**, the third **fewer bytes** a number. That is the order of what follows.
#
# ## 2. Fewer calls: one product for all
#
# ### Exercise 1: `vectorized_matmul` (6 points, about 15 minutes)
#
# Matrix products in one call, checked before. Both Tensors have two axes or more; the last two are the matrices, and the
# axes in front of them are broadcast as numpy does it: (8, 1, 5, 3) times (4, 3, 2) gives (8, 4, 5, 2).

# %% nbgrader={"grade": false, "grade_id": "vectorized_matmul", "locked": false, "schema_version": 3, "solution": true, "task": false}
#| export
def vectorized_matmul(a: Tensor, b: Tensor) -> Tensor:
    """Matrix products of (..., n, k) and (..., k, m), in one call: (..., n, m).

    The axes in front are broadcast. float32 times float32 gives float32.

    Raises:
        ValueError: one of them has fewer than two axes, or the inner lengths differ. The message names both shapes.

    >>> vectorized_matmul(Tensor([[1, 2]]), Tensor([[3], [4]])).data
    array([[11.]], dtype=float32)

    Hints:
        1. numpy multiplies a row of numbers with a matrix without complaint. Which check has to come first?
        2. Which axis of `a` has to be as long as which axis of `b`?
    """
    ### BEGIN SOLUTION
    if len(a.shape) < 2 or len(b.shape) < 2:
        raise ValueError(f"two matrices are multiplied, got shapes {a.shape} and {b.shape}")
    if a.shape[-1] != b.shape[-2]:
        ### EQUIVALENT f4a8cfeb by products: numpy refuses them as well, by the same kind of error
        raise ValueError(f"the inner lengths differ: shapes {a.shape} and {b.shape}")
    return Tensor(np.matmul(a.data, b.data))
    ### END SOLUTION

# %% tags=["raises-exception"] nbgrader={"grade": true, "grade_id": "test_vectorized_matmul", "locked": true, "points": 6, "schema_version": 3, "solution": false, "task": false}
small_a, small_b = np.random.default_rng().integers(-9, 10, size=(2, 3, 3)).astype(np.float32)
product = np.asarray(vectorized_matmul(Tensor(small_a), Tensor(small_b)).data)
assert product.dtype == np.float32, f"float32 times float32 must be float32, got {product.dtype}"
assert np.array_equal(product, small_a @ small_b), f"the product of {small_a} and {small_b} came out as {product}"
stack = np.random.default_rng().integers(-9, 10, size=(4, 1, 2, 5)).astype(np.float32)
spread = np.asarray(vectorized_matmul(Tensor(stack), Tensor(np.ones((3, 5, 2), dtype=np.float32))).data)
assert spread.shape == (4, 3, 2, 2), f"(4, 1, 2, 5) times (3, 5, 2) gives (4, 3, 2, 2), got {spread.shape}"
assert np.array_equal(spread, stack @ np.ones((3, 5, 2), dtype=np.float32)), "the axes in front are to be broadcast"
wrong_pairs = [((3,), (3, 2)), ((2, 3), (3,)), ((2, 3), (2, 3))]
for wrong_a, wrong_b in wrong_pairs:
    raised = refusal(vectorized_matmul, Tensor(np.ones(wrong_a)), Tensor(np.ones(wrong_b)))
    assert raised == "ValueError", f"shapes {wrong_a} and {wrong_b} must raise ValueError, got {raised}"
theirs_s = reference_s = 0.0
for _ in range(2):
    left, right = np.random.default_rng().normal(size=(2, 12, 128, 128)).astype(np.float32)
    started = time.process_time()
    answer = np.asarray(vectorized_matmul(Tensor(left), Tensor(right)).data)
    theirs_s += time.process_time() - started
    started = time.process_time()
    for _ in range(10):  # a call for each row, ten times: much room, and long enough for a clock that ticks slowly
        wanted = np.array([[row @ matrix for row in rows] for rows, matrix in zip(left, right)])
    reference_s += time.process_time() - started
    assert np.allclose(answer, wanted, atol=1e-3), "twelve products of 128 x 128 must come out right too"
assert theirs_s < 2 * reference_s, "a product of whole matrices in one call takes far less processor time than this"
### BEGIN HIDDEN TESTS
draw = np.random.default_rng(1801)
for shape_a, shape_b in [
    ((2, 7), (7, 3)),
    ((5, 1, 4), (5, 4, 6)),
    ((3, 2, 2), (2, 5)),
    ((4, 3), (2, 3, 3)),
    ((1, 1), (1, 1)),
]:
    left, right = (draw.integers(-9, 10, size=shape).astype(np.float32) for shape in (shape_a, shape_b))
    handed_a, handed_b = Tensor(left), Tensor(right)
    answer = np.asarray(vectorized_matmul(handed_a, handed_b).data)
    assert answer.dtype == np.float32, "the product of float32 must be float32"
    assert answer.shape == np.matmul(left, right).shape and np.array_equal(answer, np.matmul(left, right)), (
        "the product must be that of numpy for every pair of shapes that fit, the axes in front broadcast"
    )
    assert np.array_equal(handed_a.data, left) and np.array_equal(handed_b.data, right), (
        "the factors must stay as they are"
    )
for wrong_a, wrong_b in [
    ((4,), (4,)),
    ((), (2, 2)),
    ((2, 2), ()),
    ((2, 1), (2, 2)),
    ((2, 3, 4), (3, 4)),
    ((2, 3), (2, 2, 3)),
]:
    assert refusal(vectorized_matmul, Tensor(np.ones(wrong_a)), Tensor(np.ones(wrong_b))) == "ValueError", (
        "fewer than two axes, and inner lengths that differ, must raise ValueError"
    )
### END HIDDEN TESTS

# %% [markdown]
# ## 3. Fewer trips to memory: tiles
#
# Behind that one call there is a library, and it has a problem that you can count. A product of two n × n matrices makes
# n³ multiply-adds on 2n² numbers. Each number is needed n times. If the numbers do not fit into the fast memory next to
# the arithmetic (a cache), they are fetched from the slow one again and again: without a plan, up to 2n³ times.
#
# The plan is to work on **tiles**. With a t × t tile of each factor in fast memory, t³ multiply-adds can be made on 2t²
# fetched numbers: t times fewer trips. So the tile should be as large as fast memory allows.
#
# ```
#          columns →                        out[r, c] = sum over m of  a[r, m] @ b[m, c]
#        ┌──┬──┬──┐      ┌──┬──┬─┐
#   rows │  │  │  │      │  │▓▓│ │          one tile of out after the other:
#      ↓ ├──┼──┼──┤      ├──┼──┼─┤          its sum begins with zeros, takes a tile of a and a tile of b
#        │▒▒│▒▒│▒▒│  @   │  │▓▓│ │          for each m, and is written when it is complete
#        └──┴──┴──┘      ├──┼──┼─┤
#              a         │  │▓▓│ │  b       the last tile of a row is smaller where t does not divide
#                        └──┴──┴─┘
# ```
#
# ### Exercise 2: `blocks` (3 points, about 10 minutes)

# %% nbgrader={"grade": false, "grade_id": "blocks", "locked": false, "schema_version": 3, "solution": true, "task": false}
#| export
def blocks(length: int, size: int) -> list[slice]:
    """Slices that cut `length` places into blocks of `size`, in order; the last block holds what is left.

    Each slice ends where its block ends: none reaches beyond `length`, none is empty.

    Raises:
        ValueError: size is less than 1.

    >>> blocks(5, 2)
    [slice(0, 2, None), slice(2, 4, None), slice(4, 5, None)]
    """
    ### BEGIN SOLUTION
    ### EQUIVALENT 32a9127e by cuts: a range refuses steps of 0 as well, by the same kind of error
    if size < 1:
        raise ValueError(f"a block holds at least one place, got size {size}")
    return [slice(start, min(start + size, length)) for start in range(0, length, size)]
    ### END SOLUTION

# %% tags=["raises-exception"] nbgrader={"grade": true, "grade_id": "test_blocks", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false}
ends = [[part.start or 0, part.stop] for part in blocks(10, 4)]
whole = [[part.start or 0, part.stop] for part in blocks(6, 3)]
refused_zero = refusal(blocks, 4, 0)
### JUDGE
assert ends == [[0, 4], [4, 8], [8, 10]], f"10 places in blocks of 4 are 0-4, 4-8 and 8-10, got {ends}"
assert whole == [[0, 3], [3, 6]], f"6 places in blocks of 3 are two whole blocks, got {whole}"
assert refused_zero == "ValueError", f"blocks of no place must raise ValueError, got {refused_zero}"
### BEGIN HIDDEN TESTS
pairs = [(1, 1), (7, 1), (7, 7), (7, 8), (8, 7), (100, 33), (0, 3), (64, 16), (65, 16)]
cuts = [[[part.start or 0, part.stop, part.step or 1] for part in blocks(length, size)] for length, size in pairs]
refused_sizes = [refusal(blocks, length, -1) for length in (3, 9)]
### JUDGE
assert len(cuts) == len(pairs), "there is a cut for each length"
for (length, size), cut in zip(pairs, cuts, strict=True):
    wanted = [[start, min(start + size, length), 1] for start in range(0, length, size)]
    assert cut == wanted, (
        "the blocks must follow each other from 0 to the length, all of the same size but the last; "
        "none is empty, and none reaches beyond the end"
    )
assert refused_sizes == ["ValueError"] * 2, "a size below 1 must raise ValueError"
### END HIDDEN TESTS

# %% [markdown]
# ### Exercise 3: `multiply_tiles` (11 points, about 45 minutes)
#
# Here the factors are lent to you: `a` and `b` have a `shape`, and a block is read by `a[rows, columns]` with two
# slices. (So a numpy array serves as well.) The product goes into `out`, block by block: `out[rows, columns] = block`.
# The test's matrices count every number that is read or written, and refuse what does not fit into fast memory.
#
# - No block that is read or written has more than `tile_size` rows or columns.
# - One tile of `out` after the other: its sum begins with zeros, needs a tile of `a` and a tile of `b` for each block of
#   the inner axis, and is written **once**, when it is complete. `out` is never read; what it holds before is rubbish.
# - Sums are in float32. A sum in float64 has twice the bytes.

# %% nbgrader={"grade": false, "grade_id": "multiply_tiles", "locked": false, "schema_version": 3, "solution": true, "task": false}
#| export
def multiply_tiles(a: Any, b: Any, out: Any, tile_size: int) -> None:
    """Write the matrix product of a and b into out, one tile after the other.

    Args:
        a, b: (n, k) and (k, m), float32. `a[rows, columns]` with two slices reads a block, a numpy array.
        out: (n, m). `out[rows, columns] = block` writes one. Its content before does not matter.
        tile_size: the most rows, and the most columns, that a block has.

    Raises:
        ValueError: tile_size is less than 1.

    >>> product = np.empty((2, 1), dtype=np.float32)
    >>> multiply_tiles(np.array([[1.0, 2.0], [3.0, 4.0]]), np.array([[10.0], [1.0]]), product, tile_size=1)
    >>> product.tolist()
    [[12.0], [34.0]]

    Hints:
        1. Three loops over `blocks`: which two are outside, so that a tile of `out` is finished before the next begins?
        2. What shape has the sum of a tile at the edge?
        3. What dtype does `np.zeros` have if you do not say so?
    """
    ### BEGIN SOLUTION
    (n, inner), m = a.shape, b.shape[1]
    for rows in blocks(n, tile_size):
        for columns in blocks(m, tile_size):
            total = np.zeros((rows.stop - rows.start, columns.stop - columns.start), dtype=np.float32)
            for middle in blocks(inner, tile_size):
                total += np.matmul(a[rows, middle], b[middle, columns])
            out[rows, columns] = total
    ### END SOLUTION

# %% tags=["raises-exception"] nbgrader={"grade": true, "grade_id": "test_multiply_tiles", "locked": true, "points": 11, "schema_version": 3, "solution": false, "task": false}
class SlowMemory:
    """A matrix in slow memory: counts the numbers that are moved, and refuses blocks that do not fit."""

    def __init__(self, values, side, journal, name):
        self._values, self._side, self._journal, self._name = values, side, journal, name
        self.shape = values.shape

    def _checked(self, place):
        if not (isinstance(place, tuple) and len(place) == 2 and all(isinstance(part, slice) for part in place)):
            raise IndexError("a block is named by two slices, rows and columns")
        shape = self._values[place].shape
        if max(shape) > self._side:
            raise MemoryError(f"a block of {shape} is larger than a tile of {self._side} x {self._side}")
        return shape

    def __getitem__(self, place):
        rows, columns = self._checked(place)
        self._journal.append((self._name, rows * columns, place[0].start or 0, place[1].start or 0))
        return self._values[place].copy()

    def __setitem__(self, place, block):
        rows, columns = self._checked(place)
        if np.shape(block) != (rows, columns):
            raise ValueError(f"a block of {np.shape(block)} does not fit into {(rows, columns)}")
        if np.asarray(block).dtype != np.float32:
            raise TypeError(f"sums are in float32, this block is {np.asarray(block).dtype}")
        self._journal.append(("written", rows * columns, place[0].start or 0, place[1].start or 0))
        self._values[place] = block


EDGES = {
    (6, 2): (0, 2, 4, 6),
    (4, 2): (0, 2, 4),
    (8, 2): (0, 2, 4, 6, 8),
    (5, 4): (0, 4, 5),
    (7, 4): (0, 4, 7),
    (3, 4): (0, 3),
}


def spare_blocks(length, size):
    """Stands in for exercise 2, for the sizes of this test."""
    return [slice(*ends) for ends in zip(EDGES[length, size], EDGES[length, size][1:])]


def moved(n, inner, m, tile_size, blocks=spare_blocks):
    """A fresh product by tiles: whether it is right, and what was moved, in order."""
    left = np.random.default_rng().integers(-5, 6, size=(n, inner)).astype(np.float32)
    right = np.random.default_rng().integers(-5, 6, size=(inner, m)).astype(np.float32)
    product, journal = np.full((n, m), np.nan, dtype=np.float32), []
    matrices = [
        SlowMemory(values, tile_size, journal, name) for values, name in ((left, "a"), (right, "b"), (product, "out"))
    ]
    with stand_ins(blocks=blocks):
        multiply_tiles(*matrices, tile_size)
    return np.array_equal(product, left @ right), journal


is_right, journal = moved(6, 4, 8, 2)
assert is_right, "the product of a 6 x 4 and a 4 x 8 matrix by tiles of 2 x 2 is not right"
counts = {name: sum(entry[0] == name for entry in journal) for name in ("a", "b", "written", "out")}
assert counts["written"] == 12, f"the 12 tiles of out are written once each, got {counts['written']} writes"
assert counts["out"] == 0, f"out is not read, got {counts['out']} reads"
assert counts["a"] <= 24 and counts["b"] <= 24, f"12 tiles of 2 products each read 24 tiles of a and of b, got {counts}"
is_right, journal = moved(5, 7, 3, 4)
assert is_right, "where the tile size does not divide the lengths, the last tiles are smaller, and count as well"


### BEGIN HIDDEN TESTS
def right_blocks(length, size):
    if size < 1:
        raise ValueError("no block")
    return [slice(start, min(start + size, length)) for start in range(0, length, size)]


def in_order(journal, steps):
    """Whether no tile of out is begun before the one before it is written: at most `steps` reads of each until then."""
    reads = {"a": 0, "b": 0}
    for name, *_ in journal:
        if name == "written":
            reads = {"a": 0, "b": 0}
        else:
            reads[name] += 1
            if reads[name] > steps:
                return False
    return True


for n, inner, m, tile_size in [
    (1, 1, 1, 1),
    (7, 5, 9, 3),
    (4, 11, 6, 4),
    (8, 3, 2, 16),
    (2, 4, 3, 1),
    (9, 2, 4, 3),
    (3, 8, 3, 5),
]:
    is_right, journal = moved(n, inner, m, tile_size, right_blocks)
    assert is_right, "the product must be right for every size, tiles at the edges included, whatever out held before"
    steps = -(-inner // tile_size)
    written = [entry[2:] for entry in journal if entry[0] == "written"]
    assert len(written) == len(set(written)) == -(-n // tile_size) * -(-m // tile_size), (
        "each tile of out is written once"
    )
    assert not any(entry[0] == "out" for entry in journal), "out must not be read"
    assert in_order(journal, steps), (
        "a tile of out must be complete before the next is begun, and reads a tile of a and of b for each block of the inner axis"
    )
sizes, totals = [2, 4, 8], []
for tile_size in sizes:
    is_right, journal = moved(8, 8, 8, tile_size, right_blocks)
    assert is_right, "the product must be right at every tile size"
    totals.append(sum(entry[1] for entry in journal if entry[0] in ("a", "b")))
exponent = np.polyfit(np.log(sizes), np.log(totals), 1)[0]
assert exponent < -0.9, "tiles twice as large must halve the numbers that are read"
with stand_ins(blocks=right_blocks):
    refused = refusal(multiply_tiles, np.ones((2, 2)), np.ones((2, 2)), np.ones((2, 2)), 0)
assert refused == "ValueError", "a tile size below 1 must raise ValueError"
### END HIDDEN TESTS

# %% [markdown]
# With that, here is the product of two Tensors by tiles. 7.2 counts what it moves, and holds its time against the call
# of exercise 1.

# %% nbgrader={"grade": false, "grade_id": "tiled_matmul", "locked": true, "schema_version": 3, "solution": false, "task": false}
#| export
def tiled_matmul(a: Tensor, b: Tensor, tile_size: int = 64) -> Tensor:
    """The matrix product of (n, k) and (k, m), by tiles of at most tile_size rows and columns.

    Raises:
        ValueError: they are no two matrices that fit, or tile_size is less than 1.

    >>> tiled_matmul(Tensor([[1, 2]]), Tensor([[3], [4]]), tile_size=1).data
    array([[11.]], dtype=float32)
    """
    if len(a.shape) != 2 or len(b.shape) != 2 or a.shape[1] != b.shape[0]:
        raise ValueError(f"two matrices that fit are multiplied, got shapes {a.shape} and {b.shape}")
    product = np.empty((a.shape[0], b.shape[1]), dtype=np.float32)
    multiply_tiles(a.data, b.data, product, tile_size)
    return Tensor(product)

# %% [markdown]
# ## 4. A convolution is a product
#
# A convolution multiplies each window of an image with each kernel, number by number, and adds up. That is a matrix
# product, if each window stands in a column of its own: this rearrangement is called **im2col**.
#
# ```
#   image, 1 channel        windows 2 x 2, stride 1           columns: (channels · 2 · 2) x places
#
#    0  1  2                [0 1]  [1 2]  [3 4]  [4 5]           0  1  3  4     row 0: upper left pixel of each window
#    3  4  5                [3 4]  [4 5]  [6 7]  [7 8]           1  2  4  5     row 1: upper right
#    6  7  8                                                     3  4  6  7     row 2: lower left
#                                                                4  5  7  8     row 3: lower right
# ```
#
# With several channels the rows of channel 0 come first, then those of channel 1. A kernel of (channels, height, width),
# laid out in one row, has its numbers in the same order. So all kernels together, (kernels, channels · height · width),
# times the columns are all outputs at once.
#
# ### Exercise 4: `im2col` (11 points, about 45 minutes)
#
# Stride, padding and window may differ in height and width. The columns are memory of their own: who writes into them
# later must change no image. (numpy can show windows *without* copying, as a view with clever strides. Its windows share
# pixels, and writing into one writes into its neighbours. Looking through such a view is fine, handing it out is not.)

# %% nbgrader={"grade": false, "grade_id": "im2col", "locked": false, "schema_version": 3, "solution": true, "task": false}
#| export
def im2col(
    images: Array, kernel_size: tuple[int, int], stride: tuple[int, int] = (1, 1), padding: tuple[int, int] = (0, 0)
) -> Array:
    """Each window of each image as a column.

    Args:
        images: (N, C, H, W), of any dtype. Not changed.
        kernel_size, stride, padding: of the window, of its step, and of the border of zeros, each (down, across).

    Returns:
        (N, C · k_h · k_w, H_out · W_out), of the dtype of the images, in memory of its own. Rows: channel, then row,
        then column within the window. Columns: places, row by row.

    Raises:
        ValueError: the window does not fit into the padded image.

    >>> im2col(np.arange(9.0).reshape(1, 1, 3, 3), (2, 2))[0, :, 0].tolist()
    [0.0, 1.0, 3.0, 4.0]

    Hints:
        1. `window_places` of module 14 says how many places there are, and refuses windows that do not fit.
        2. Row 1 of the picture above is one pixel of every window. Where do these pixels lie in the image? How far
           apart, with a stride of 2?
        3. So one step of numpy fills a row for all places and images; a loop over the pixels of a *window* is enough.
    """
    ### BEGIN SOLUTION
    n, channels, height, width = images.shape
    (k_h, k_w), (down, across), (vertical, horizontal) = kernel_size, stride, padding
    out_h, out_w = window_places((height, width), kernel_size, stride, padding)
    framed = np.pad(images, ((0, 0), (0, 0), (vertical, vertical), (horizontal, horizontal)))
    columns = np.empty((n, channels, k_h, k_w, out_h, out_w), dtype=images.dtype)
    for i in range(k_h):
        for j in range(k_w):
            columns[:, :, i, j] = framed[:, :, i : i + down * out_h : down, j : j + across * out_w : across]
    return columns.reshape(n, channels * k_h * k_w, out_h * out_w)
    ### END SOLUTION

# %% tags=["raises-exception"] nbgrader={"grade": true, "grade_id": "test_im2col", "locked": true, "points": 11, "schema_version": 3, "solution": false, "task": false}
picture = np.arange(9, dtype=np.float32).reshape(1, 1, 3, 3)
plain = im2col(picture, (2, 2))
striped = im2col(np.arange(24, dtype=np.float32).reshape(1, 2, 3, 4), (1, 2), (2, 1), (0, 1))
plain_before = plain.copy()
plain[:] = 100
picture_after = picture.copy()
too_large = refusal(im2col, picture, (4, 2))
### JUDGE
assert np.array_equal(plain_before, [[[0, 1, 3, 4], [1, 2, 4, 5], [3, 4, 6, 7], [4, 5, 7, 8]]]), (
    f"the columns of the picture above are wanted, got\n{plain_before}"
)
assert plain_before.dtype == np.float32, f"float32 images have float32 columns, got {plain_before.dtype}"
assert np.array_equal(picture_after, np.arange(9).reshape(1, 1, 3, 3)), "writing into the columns must change no image"
assert np.shape(striped) == (1, 4, 10), (
    f"two channels, a window of 1 x 2, 2 x 5 places: (1, 4, 10), got {np.shape(striped)}"
)
assert np.array_equal(
    striped[0],
    [
        [0, 0, 1, 2, 3, 0, 8, 9, 10, 11],
        [0, 1, 2, 3, 0, 8, 9, 10, 11, 0],
        [0, 12, 13, 14, 15, 0, 20, 21, 22, 23],
        [12, 13, 14, 15, 0, 20, 21, 22, 23, 0],
    ],
), f"window 1 x 2, stride 2 down and 1 across, a border of zeros left and right; got\n{striped[0]}"
assert too_large == "ValueError", f"a window that does not fit must raise ValueError, got {too_large}"


### BEGIN HIDDEN TESTS
def columns_by_hand(images, kernel_size, stride, padding):
    """Pixel by pixel: row (channel, i, j), column (place down, place across)."""
    places = [
        (size + 2 * border - side) // step + 1
        for size, border, side, step in zip(images.shape[2:], padding, kernel_size, stride, strict=True)
    ]
    wanted = np.zeros((*images.shape[:2], *kernel_size, *places), dtype=images.dtype)
    for i, j, down, across in np.ndindex(*wanted.shape[2:]):
        row, column = down * stride[0] + i - padding[0], across * stride[1] + j - padding[1]
        if 0 <= row < images.shape[2] and 0 <= column < images.shape[3]:
            wanted[:, :, i, j, down, across] = images[:, :, row, column]
    return wanted.reshape(len(images), -1, places[0] * places[1])


draw = np.random.default_rng(1804)
settings = [
    ((2, 3, 6, 5), (3, 3), (1, 1), (1, 1)),
    ((1, 2, 7, 9), (3, 2), (2, 3), (0, 1)),
    ((3, 1, 5, 8), (2, 4), (3, 2), (2, 0)),
    ((2, 2, 4, 4), (1, 1), (1, 1), (0, 0)),
    ((1, 4, 6, 6), (1, 1), (2, 2), (0, 0)),
    ((2, 1, 3, 10), (3, 10), (1, 1), (0, 0)),
    ((1, 3, 8, 3), (5, 1), (1, 2), (1, 2)),
    ((2, 1, 2, 5), (3, 6), (1, 1), (1, 1)),
]
drawn = [
    draw.integers(1, 100, size=shape).astype(kind)
    for (shape, *_), kind in zip(
        settings, ("float32", "int16", "float32", "float32", "float16", "float64", "float32", "float32"), strict=True
    )
]
handed = [array.copy() for array in drawn]
answers = [im2col(array, *rest) for array, (_, *rest) in zip(handed, settings, strict=True)]
taken = [answer.copy() for answer in answers]
flat = im2col(handed[3], (1, 1))
by_default = flat.copy()
flat[:] = 0
for answer in answers:
    answer[:] = -1
left_over = [array.copy() for array in handed]
unfit = [refusal(im2col, array, (3, 3)) for array in (np.ones((1, 1, 2, 5)), np.ones((1, 1, 5, 2)))]
unfit += [refusal(im2col, np.ones((1, 1, 4, 4)), size, (1, 1), (1, 1)) for size in ((7, 2), (2, 7))]
### JUDGE
assert len(taken) == len(left_over) == len(settings), "there are columns for each setting"
for original, after, columns, (_, *setting) in zip(drawn, left_over, taken, settings, strict=True):
    wanted = columns_by_hand(original, *setting)
    assert np.shape(columns) == wanted.shape, (
        "(images, channels · window, places): stride, padding and window may differ down and across"
    )
    assert np.array_equal(columns, wanted), "each column is a window: channel by channel, row by row; places row by row"
    assert columns.dtype == original.dtype, "the columns have the dtype of the images"
    assert np.array_equal(original, after), "the images must stay as they are, whatever is written into the columns"
assert np.array_equal(by_default, drawn[3].reshape(2, 2, 16)), "a window of one pixel, stride 1, gives the image itself"
assert unfit == ["ValueError"] * 4, "a window that is higher or wider than the padded image must raise ValueError"
### END HIDDEN TESTS

# %% [markdown]
# ### Exercise 5: `conv2d_im2col` (8 points, about 25 minutes)
#
# Now the product. Kernels in rows, windows in columns; a bias for each output channel; and the result is pictures again.

# %% nbgrader={"grade": false, "grade_id": "conv2d_im2col", "locked": false, "schema_version": 3, "solution": true, "task": false}
#| export
def conv2d_im2col(
    images: Array,
    weight: Array,
    bias: Array | None = None,
    stride: tuple[int, int] = (1, 1),
    padding: tuple[int, int] = (0, 0),
) -> Array:
    """A convolution as one matrix product for each image.

    Args:
        images: (N, C, H, W), float32.
        weight: (O, C, k_h, k_w), float32: O kernels.
        bias: (O,), or None.
        stride, padding: (down, across).

    Returns:
        (N, O, H_out, W_out), float32. Nothing that was handed over is changed.

    >>> conv2d_im2col(np.ones((1, 1, 2, 3), np.float32), np.ones((1, 1, 2, 2), np.float32)).tolist()
    [[[[4.0, 4.0]]]]

    Hints:
        1. Write the shapes of both factors and of the product on paper first.
        2. Which axis of the product is the channel? So how must a bias of (O,) be turned to be added?
    """
    ### BEGIN SOLUTION
    (n, _, *size), (kernels, _, k_h, k_w) = images.shape, weight.shape
    columns = im2col(images, (k_h, k_w), stride, padding)
    output: Array = np.matmul(weight.reshape(kernels, columns.shape[1]), columns)
    if bias is not None:
        output += bias[:, np.newaxis]
    return output.reshape(n, kernels, *window_places((size[0], size[1]), (k_h, k_w), stride, padding))
    ### END SOLUTION

# %% tags=["raises-exception"] nbgrader={"grade": true, "grade_id": "test_conv2d_im2col", "locked": true, "points": 8, "schema_version": 3, "solution": false, "task": false}
draw = np.random.default_rng(5)
images = draw.integers(-4, 5, size=(2, 3, 2, 5)).astype(np.float32)
weight = draw.integers(-4, 5, size=(4, 3, 2, 1)).astype(np.float32)
bias = draw.integers(1, 5, size=4).astype(np.float32)
handed = [images.copy(), weight.copy(), bias.copy()]
# windows of 2 x 1 on images of two rows: the columns are the image itself, so this stands in for exercise 4
with stand_ins(im2col=lambda images, kernel_size, stride=(1, 1), padding=(0, 0): images.reshape(2, 6, 5)):
    answer = np.asarray(conv2d_im2col(*handed))
    unbiased = np.asarray(conv2d_im2col(*handed[:2]))
wanted = np.einsum("nchw,och->now", images, weight[:, :, :, 0])[:, :, None]
assert answer.shape == (2, 4, 1, 5), f"two images, four kernels of 2 x 1: (2, 4, 1, 5) is wanted, got {answer.shape}"
assert np.array_equal(unbiased, wanted), (
    f"kernels times columns, one picture for each kernel; got\n{unbiased[0]}\nfor\n{wanted[0]}"
)
assert np.array_equal(answer, wanted + bias[:, None, None]), "each output channel has its own bias"
assert answer.dtype == np.float32, f"float32 images have a float32 convolution, got {answer.dtype}"
assert all(map(np.array_equal, handed, (images, weight, bias))), "images, weight and bias must stay as they are"


### BEGIN HIDDEN TESTS
def right_im2col(images, kernel_size, stride=(1, 1), padding=(0, 0)):
    (p, q), (n, channels, height, width) = padding, images.shape
    framed = np.pad(images, ((0, 0), (0, 0), (p, p), (q, q)))
    view = np.lib.stride_tricks.sliding_window_view(framed, kernel_size, axis=(2, 3))[:, :, :: stride[0], :: stride[1]]
    return np.array(view.transpose(0, 1, 4, 5, 2, 3)).reshape(n, channels * kernel_size[0] * kernel_size[1], -1)


def window_by_window(images, weight, bias, stride, padding):
    (p, q), (k_h, k_w) = padding, weight.shape[2:]
    framed = np.pad(images, ((0, 0), (0, 0), (p, p), (q, q)))
    rows = range(0, framed.shape[2] - k_h + 1, stride[0])
    columns = range(0, framed.shape[3] - k_w + 1, stride[1])
    output = np.empty((len(images), len(weight), len(rows), len(columns)), dtype=np.float32)
    for (i, row), (j, column) in ((r, c) for r in enumerate(rows) for c in enumerate(columns)):
        window = framed[:, None, :, row : row + k_h, column : column + k_w]
        output[:, :, i, j] = np.sum(window * weight, axis=(2, 3, 4))
    return output if bias is None else output + bias[:, None, None]


def compared(shape, kernels, kernel_size, stride, padding, with_bias=True):
    """A convolution: what came out and what is right, and whether all that was handed over is as it was."""
    images = draw.integers(-4, 5, size=shape).astype(np.float32)
    weight = draw.integers(-4, 5, size=(kernels, shape[1], *kernel_size)).astype(np.float32)
    bias = draw.integers(-4, 5, size=kernels).astype(np.float32) if with_bias else None
    handed = [None if array is None else array.copy() for array in (images, weight, bias)]
    with stand_ins(im2col=right_im2col):
        answer = np.asarray(conv2d_im2col(*handed, stride, padding))
    same = all(map(np.array_equal, handed[:2], (images, weight))) and (bias is None or np.array_equal(handed[2], bias))
    return answer, window_by_window(images, weight, bias, stride, padding), same


draw = np.random.default_rng(1805)
for setting in [
    ((1, 1, 4, 4), 1, (2, 2), (1, 1), (0, 0)),
    ((3, 2, 7, 5), 5, (3, 3), (2, 1), (1, 2)),
    ((2, 4, 6, 9), 3, (1, 4), (1, 3), (0, 1)),
    ((2, 3, 5, 5), 3, (1, 1), (1, 1), (0, 0)),
    ((1, 2, 3, 8), 6, (3, 5), (3, 2), (2, 2)),
]:
    for with_bias in (True, False):
        answer, wanted, same = compared(*setting, with_bias)
        assert answer.shape == wanted.shape and np.array_equal(answer, wanted), (
            "the convolution must be that of the loop, for every window, stride and padding, with a bias and without"
        )
        assert answer.dtype == np.float32, "float32 must stay float32"
        assert same, "images, weight and bias must stay as they are"
with stand_ins(im2col=right_im2col):
    bare = np.asarray(conv2d_im2col(np.ones((1, 2, 3, 3), np.float32), np.ones((1, 2, 2, 2), np.float32)))
assert np.array_equal(bare, np.full((1, 1, 2, 2), 8)), "without more arguments: no bias, stride 1, no border"
theirs_s = reference_s = 0.0
for _ in range(3):
    images = np.random.default_rng().normal(size=(8, 8, 16, 16)).astype(np.float32)
    weight = np.random.default_rng().normal(size=(16, 8, 3, 3)).astype(np.float32)
    started = time.process_time()
    with stand_ins(im2col=right_im2col):
        answer = np.asarray(conv2d_im2col(images, weight, None, (1, 1), (1, 1)))
    theirs_s += time.process_time() - started
    started = time.process_time()
    wanted = window_by_window(images, weight, None, (1, 1), (1, 1))
    reference_s += time.process_time() - started
    assert np.allclose(answer, wanted, atol=1e-3), "a larger convolution must be right too"
assert theirs_s < 3 * reference_s, "one product for all windows takes far less processor time than this"
### END HIDDEN TESTS

# %% [markdown]
# The layer that uses it is given. It keeps the Tensors of the layer that it replaces, so nothing has to be learned anew;
# and as it tells the tape what it did, it can be trained as well.

# %% nbgrader={"grade": false, "grade_id": "AcceleratedConv2d", "locked": true, "schema_version": 3, "solution": false, "task": false}
#| export
class AcceleratedConv2d(Conv2d):
    """A convolution with the weight and bias of another one, by `conv2d_im2col`.

    >>> conv = Conv2d(1, 2, kernel_size=3, padding=1)
    >>> AcceleratedConv2d(conv)(Tensor(np.ones((5, 1, 8, 8)))).shape
    (5, 2, 8, 8)
    """

    def __init__(self, conv: Conv2d):
        self.in_channels, self.out_channels = conv.in_channels, conv.out_channels
        self.kernel_size, self.stride, self.padding = conv.kernel_size, conv.stride, conv.padding
        self.weight, self.bias = conv.weight, conv.bias

    def forward(self, x: Tensor) -> Tensor:
        """(N, in_channels, H, W) → (N, out_channels, H_out, W_out)."""
        sliding = SlidingWindow.of("AcceleratedConv2d", self.kernel_size, self.stride, self.padding)
        bias = None if self.bias is None else self.bias.data
        output = conv2d_im2col(x.data, self.weight.data, bias, sliding.stride, sliding.padding)
        return Tensor._result(output, "conv2d", (x, *self.parameters()), sliding=sliding)

# %% [markdown]
# ## 5. Fewer passes: fusing what belongs together
#
# GELU in the course's form is
#
# $$\mathrm{GELU}(x) = \tfrac12\, x\, \bigl(1 + \tanh\bigl(\sqrt{2/\pi}\,(x + 0.044715\, x^3)\bigr)\bigr)$$
#
# Written so in numpy, each step is a call that reads whole arrays from memory and writes a whole array back, and
# allocates it first: a *temporary*. There is hardly any arithmetic in it, so bytes bind. A compiler would *fuse* the
# steps into one loop. numpy has no compiler, but two handles:
#
# - `out=`: `np.multiply(a, b, out=c)` writes into an array that is there already, `a` or `b` if you like. No temporary.
# - blocks: do *all* steps for a block of the array that fits into the cache, then go to the next one. Then a number comes
#   from memory once, and goes back once.
#
# Who computes is handed to you as `xp`: numpy here (its name in code that also runs on graphics cards, where `xp` is
# another library with the same functions). The test hands over a small unit of its own, which knows `empty_like`,
# `multiply`, `add` and `tanh`, each with `out=` or without, and counts.
#
# ### Exercise 6: `gelu_into` (7 points, about 25 minutes)
#
# No temporary at all: `out` is the only array that is written, and it is enough. (x + 0.044715 x³ = x · (1 + 0.044715 x²).)

# %% nbgrader={"grade": false, "grade_id": "gelu_into", "locked": false, "schema_version": 3, "solution": true, "task": false}
#| export
def gelu_into(x: Any, out: Any, xp: Any = np) -> None:
    """Write GELU(x) into out, without another array.

    Args:
        x: numbers. Not changed.
        out: of the same shape, another array. What it holds before does not matter.
        xp: what computes: `xp.multiply(a, b, out=c)`, `xp.add(a, b, out=c)`, `xp.tanh(a, out=c)`; a and b are arrays or
            plain numbers. Without `out=` they allocate.

    >>> values = np.array([-1.0, 0.0, 1.0])
    >>> answers = np.empty(3)
    >>> gelu_into(values, answers)
    >>> answers.round(4).tolist()
    [-0.1588, 0.0, 0.8412]

    Hints:
        1. `GELU_CUBIC` and `GELU_SCALE` are there already. Begin with the square, in `out`.
        2. Write the formula from the inside out, one step a line. After each: what stands in `out` now?
        3. x itself is needed twice more after the first step. It is still there.
    """
    ### BEGIN SOLUTION
    xp.multiply(x, x, out=out)
    xp.multiply(out, GELU_CUBIC, out=out)
    xp.add(out, 1.0, out=out)
    xp.multiply(out, x, out=out)
    xp.multiply(out, GELU_SCALE, out=out)
    xp.tanh(out, out=out)
    xp.add(out, 1.0, out=out)
    xp.multiply(out, x, out=out)
    xp.multiply(out, 0.5, out=out)
    ### END SOLUTION

# %% tags=["raises-exception"] nbgrader={"grade": true, "grade_id": "test_gelu_into", "locked": true, "points": 7, "schema_version": 3, "solution": false, "task": false}
class Buffer:
    """An array of the unit's."""

    def __init__(self, values):
        self._values = values
        self.shape, self.size, self.dtype = values.shape, values.size, values.dtype


class Unit:
    """Computes on its own buffers. Counts those that it allocates, and the passes over them."""

    def __init__(self):
        self.allocated = self.passes = 0

    def _into(self, out, values):
        self.passes += 1
        if out is None:
            self.allocated += 1
            return Buffer(values)
        out._values[...] = values
        return out

    def empty_like(self, x):
        self.allocated += 1
        return Buffer(np.full_like(x._values, np.nan))

    def multiply(self, a, b, out=None):
        return self._into(out, np.multiply(numbers_of(a), numbers_of(b)))

    def add(self, a, b, out=None):
        return self._into(out, np.add(numbers_of(a), numbers_of(b)))

    def tanh(self, a, out=None):
        return self._into(out, np.tanh(numbers_of(a)))


def numbers_of(operand):
    return operand._values if isinstance(operand, Buffer) else operand


def right_gelu(values):
    return 0.5 * values * (1 + np.tanh(np.sqrt(2 / np.pi) * (values + 0.044715 * values**3)))


def on_the_unit(values):
    """GELU of fresh numbers on a unit: what came out, what became of x, and the unit."""
    unit, x, out = Unit(), Buffer(values.copy()), Buffer(np.full_like(values, np.nan))
    gelu_into(x, out, unit)
    return out._values, x._values, unit


values = np.random.default_rng().normal(0, 2, size=50).astype(np.float32)
answers, left, unit = on_the_unit(values)
assert unit.passes > 0, "what computes is xp: nothing was asked of it"
assert np.allclose(answers, right_gelu(values), rtol=1e-4, atol=1e-5), f"GELU of {values[:3]} came out as {answers[:3]}"
assert np.array_equal(left, values), "x must stay as it is"
assert unit.allocated == 0, f"out is enough: no array is allocated, this allocates {unit.allocated}"
### BEGIN HIDDEN TESTS
for shape, spread in [((1,), 1.0), ((3, 4), 0.1), ((2, 3, 4, 5), 3.0), ((40,), 8.0)]:
    values = np.random.default_rng().normal(0, spread, size=shape).astype(np.float32)
    answers, left, unit = on_the_unit(values)
    assert np.allclose(answers, right_gelu(values.astype(np.float64)), rtol=1e-4, atol=2e-6), (
        "GELU must be right for numbers of every size"
    )
    assert np.array_equal(left, values), "x must stay as it is"
    assert unit.allocated == 0, "out is enough: no array may be allocated"
    assert unit.passes <= 12, "nine passes over the numbers are enough"
exact = np.linspace(-3, 3, 13)
by_numpy = np.full(13, np.nan)
gelu_into(exact, by_numpy)
values = np.linspace(-6, 6, 49)
answers, _, _ = on_the_unit(values)
assert np.allclose(answers, right_gelu(values), rtol=1e-9, atol=1e-12), (
    "with float64 numbers GELU must be right to twelve digits"
)
### END HIDDEN TESTS

# %% [markdown]
# ### Exercise 7: `gelu_blocks` (7 points, about 25 minutes)
#
# Nine passes without a temporary are still nine trips to memory, if the array is larger than the cache. Now by blocks:
# one array is allocated, the result, and `gelu_into` is asked for a block after the other. The test's unit has a small
# cache, and counts the numbers that come from memory.
#
# Arrays here have one axis. `x[part]`, with a slice, is a *view* of a block: who writes into it writes into the array.

# %% nbgrader={"grade": false, "grade_id": "gelu_blocks", "locked": false, "schema_version": 3, "solution": true, "task": false}
#| export
def gelu_blocks(x: Any, size: int, xp: Any = np) -> Any:
    """GELU of x in a new array, one block of at most `size` numbers after the other.

    Args:
        x: (n,). Not changed.
        size: of a block; with a block of x and a block of the result, the cache is to hold twice as many numbers.
        xp: what computes; see `gelu_into`. `xp.empty_like(x)` allocates.

    Returns:
        (n,), of the kind and dtype of x. Nothing else is allocated.

    >>> gelu_blocks(np.array([-1.0, 0.0, 1.0]), size=2).round(4).tolist()
    [-0.1588, 0.0, 0.8412]

    Hint: `blocks` cuts any length, also here.
    """
    ### BEGIN SOLUTION
    out = xp.empty_like(x)
    for part in blocks(len(x), size):
        gelu_into(x[part], out[part], xp)
    return out
    ### END SOLUTION

# %% tags=["raises-exception"] nbgrader={"grade": true, "grade_id": "test_gelu_blocks", "locked": true, "points": 7, "schema_version": 3, "solution": false, "task": false}
class Strip:
    """A row of numbers in slow memory, or a view of a part of one."""

    def __init__(self, values, start=0, base=None):
        self._values, self._start, self._base = values, start, base or self
        self.shape, self.size, self.dtype = values.shape, values.size, values.dtype

    def __len__(self):
        return self.size

    def __getitem__(self, part):
        if not isinstance(part, slice):
            raise IndexError("a block is named by a slice")
        start, stop, step = part.indices(self.size)
        if step != 1:
            raise IndexError("the numbers of a block stand side by side")
        return Strip(self._values[start:stop], self._start + start, self._base)


class CachedUnit:
    """Computes on strips through a cache of so many numbers: counts what is allocated, and what comes from slow memory."""

    def __init__(self, cache):
        self._cache, self._held = cache, {}
        self.allocated = self.fetched = 0

    def _nine_passes(self, x, out):
        """What exercise 6 does with a block: x and out pass through the cache nine times."""
        for _ in range(9):
            self._touched(x)
            self._touched(out)
        out._values[...] = 0.5 * x._values * (1 + np.tanh(np.sqrt(2 / np.pi) * (x._values + 0.044715 * x._values**3)))

    def _touched(self, strip):
        for place in range(strip._start, strip._start + strip.size):
            number = (id(strip._base), place)
            if self._held.pop(number, None) is None:
                self.fetched += 1
                if len(self._held) >= self._cache:
                    del self._held[next(iter(self._held))]
            self._held[number] = True

    def _into(self, step, operands, out):
        strips = [operand for operand in operands if isinstance(operand, Strip)]
        values = step(*(operand._values if isinstance(operand, Strip) else operand for operand in operands))
        if out is None:
            self.allocated += values.size
            out = Strip(np.empty_like(values))
        for strip in {id(strip._base): strip for strip in (*strips, out)}.values():
            self._touched(strip)
        out._values[...] = values
        return out

    def empty_like(self, x):
        self.allocated += x.size
        return Strip(np.full_like(x._values, np.nan))

    def multiply(self, a, b, out=None):
        return self._into(np.multiply, (a, b), out)

    def add(self, a, b, out=None):
        return self._into(np.add, (a, b), out)

    def tanh(self, a, out=None):
        return self._into(np.tanh, (a,), out)


def spare_gelu_into(x, out, xp):
    """Stands in for exercise 6."""
    xp._nine_passes(x, out)


def spare_blocks(length, size):
    """Stands in for exercise 2, for the sizes of this test."""
    assert (length, size) == (60, 16), "x has 60 numbers, and a block 16"
    return [slice(0, 16), slice(16, 32), slice(32, 48), slice(48, 60)]


def by_blocks(length, size, blocks=spare_blocks):
    """GELU of a fresh strip by blocks: whether it is right and x as it was, and the unit."""
    values = np.random.default_rng().normal(0, 2, size=length).astype(np.float32)
    wanted = 0.5 * values * (1 + np.tanh(np.sqrt(2 / np.pi) * (values + 0.044715 * values**3)))
    unit, x = CachedUnit(2 * size), Strip(values.copy())
    with stand_ins(blocks=blocks, gelu_into=spare_gelu_into):
        answer = gelu_blocks(x, size, unit)
    is_right = np.shape(answer._values) == (length,) and np.allclose(answer._values, wanted, rtol=1e-4, atol=1e-5)
    return is_right, np.array_equal(x._values, values), unit


is_right, is_same, unit = by_blocks(60, 16)
assert is_right, "GELU of 60 numbers in blocks of 16 is not right; the last block has 12"
assert is_same, "x must stay as it is"
assert unit.allocated == 60, f"the result is the only array: 60 numbers are allocated, here {unit.allocated}"
assert unit.fetched <= 2 * 60, f"60 numbers of x and 60 of the result pass through the cache once, here {unit.fetched}"


### BEGIN HIDDEN TESTS
def right_blocks(length, size):
    return [slice(start, min(start + size, length)) for start in range(0, length, size)]


def noted(x, out, xp=np):
    asked.append((np.array(x).tolist(), np.shape(out), float(xp.add(1.0, 2.0))))


lengths, fetched = [24, 48, 96], []
for length, size in [(1, 1), (5, 8), (7, 3), (16, 16), *((length, 12) for length in lengths)]:
    is_right, is_same, unit = by_blocks(length, size, right_blocks)
    assert is_right, "GELU must be right for every length and block, the last block included"
    assert is_same, "x must stay as it is"
    assert unit.allocated == length, "the result must be the only array that is allocated"
    assert unit.fetched <= 2 * length, "each number must pass through the cache once"
    if length in lengths:
        fetched.append(unit.fetched)
assert np.polyfit(np.log(lengths), np.log(fetched), 1)[0] < 1.05, "what comes from memory must grow like the length"
asked = []
with stand_ins(blocks=right_blocks, gelu_into=noted):
    by_numpy = np.asarray(gelu_blocks(np.arange(9, dtype=np.float32), 4))
assert asked == [([0, 1, 2, 3], (4,), 3.0), ([4, 5, 6, 7], (4,), 3.0), ([8], (1,), 3.0)], (
    "numpy must compute where no other unit is named, block after block"
)
assert by_numpy.shape == (9,) and by_numpy.dtype == np.float32, "the result must have the length and dtype of x"
### END HIDDEN TESTS

# %% [markdown]
# And for Tensors, as a function and as a layer. A block of 65,536 numbers is 256 KB of float32; 7.3 tries other sizes.

# %% nbgrader={"grade": false, "grade_id": "fused_gelu", "locked": true, "schema_version": 3, "solution": false, "task": false}
#| export
GELU_BLOCK = 65536


def fused_gelu(x: Tensor) -> Tensor:
    """GELU of a Tensor of any shape, by blocks: the same as `GELU()(x)`, in one new array.

    >>> fused_gelu(Tensor([-1, 0, 1]))
    Tensor([-0.1588, 0, 0.8412], dtype=float32)
    """
    values = x.data if x.data.dtype.kind == "f" else x.data.astype(np.float32)
    return Tensor._result(gelu_blocks(values.reshape(-1), GELU_BLOCK).reshape(x.shape), "gelu", (x,))


class FusedGELU(GELU):
    """GELU as a layer, by `fused_gelu`.

    >>> FusedGELU()(Tensor([0, 1]))
    Tensor([0, 0.8412], dtype=float32)
    """

    def forward(self, x: Tensor) -> Tensor:
        """Element by element."""
        return fused_gelu(x)

# %% [markdown]
# ## 6. Fewer bytes: 16 bits where they are enough
#
# A float16 has 10 bits of fraction and 5 of exponent. It takes half the bytes of a float32, so twice as many numbers pass
# through the same memory, and hardware that multiplies it is quicker still. (numpy has no such hardware: here you learn
# what is *right*, not what is quick.) What it cannot do:
#
# | | float16 | float32 |
# |---|---|---|
# | largest number | 65,504 | 3.4 · 10³⁸ |
# | smallest above zero | 6 · 10⁻⁸ | 1.4 · 10⁻⁴⁵ |
# | whole numbers without a gap, up to | 2,048 | 16,777,216 |
#
# 2,048 + 1 is 2,048 in float16. A sum of many terms stands still there. Hence **mixed** precision: numbers are *stored*
# in 16 bits, products are *added up* in 32.
#
# ### Exercise 8: `mixed_matmul` (6 points, about 15 minutes)

# %% nbgrader={"grade": false, "grade_id": "mixed_matmul", "locked": false, "schema_version": 3, "solution": true, "task": false}
#| export
def mixed_matmul(a: Array, b: Array) -> Array:
    """The matrix product of two arrays that are rounded to float16 first; sums and result in float32.

    Args:
        a, b: (..., n, k) and (..., k, m), of any float type. Not changed.

    Returns:
        (..., n, m), float32.

    >>> mixed_matmul(np.ones((1, 4096)), np.ones((4096, 1)))
    array([[4096.]], dtype=float32)

    Hint: in which dtype does numpy add up the product of two float16 arrays? What must they be before it multiplies?
    """
    ### BEGIN SOLUTION
    product: Array = np.matmul(a.astype(np.float16), b.astype(np.float16), dtype=np.float32)
    return product
    ### END SOLUTION

# %% tags=["raises-exception"] nbgrader={"grade": true, "grade_id": "test_mixed_matmul", "locked": true, "points": 6, "schema_version": 3, "solution": false, "task": false}
long_row = np.ones((1, 3001), dtype=np.float32)
sum_of_ones = mixed_matmul(long_row, np.ones((3001, 1), dtype=np.float32))
beyond = mixed_matmul(np.full((1, 2), 60000.0), np.ones((2, 1)))
between = mixed_matmul(np.array([[1.0, 1 + 2.0**-10, 1 + 2.0**-12]]).T, np.ones((1, 1)))
### JUDGE
assert np.shape(sum_of_ones) == (1, 1) and sum_of_ones.dtype == np.float32, (
    f"the product is float32 of shape (1, 1), got {sum_of_ones.dtype} of {np.shape(sum_of_ones)}"
)
assert np.array_equal(sum_of_ones, [[3001]]), f"3001 ones add up to 3001 in float32, got {sum_of_ones}"
assert np.shape(beyond) == (1, 1) and np.array_equal(beyond, [[120000]]), (
    f"60000 fits into float16, 60000 + 60000 into float32, got {beyond}"
)
assert np.shape(between) == (3, 1) and np.array_equal(between, [[1], [1 + 2.0**-10], [1]]), (
    f"float16 has 10 bits of fraction: 1 + 2⁻¹⁰ is kept, 1 + 2⁻¹² is rounded to 1; got {between.tolist()}"
)
### BEGIN HIDDEN TESTS
draw = np.random.default_rng(1808)
pairs = [
    (draw.normal(size=shape_a), draw.normal(size=shape_b))
    for shape_a, shape_b in (((3, 5), (5, 2)), ((2, 4, 6), (6, 3)), ((1, 700), (700, 1)), ((4, 1), (1, 4)))
]
pairs.append((pairs[0][0].astype(np.float32), pairs[0][1].astype(np.float16)))
handed = [(left.copy(), right.copy()) for left, right in pairs]
products = [mixed_matmul(left, right) for left, right in handed]
left_over = [(left.copy(), right.copy()) for left, right in handed]
many = mixed_matmul(np.full((2, 5000), 3.0, dtype=np.float16), np.full((5000, 2), 7.0, dtype=np.float16))
tiny = mixed_matmul(np.full((1, 1), 2.0**-14), np.full((1, 1), 2.0**-14))
weighed = mixed_matmul(np.ones((1, 1)), np.array([[1 + 2.0**-12, 2.0**-10 + 2.0**-22]]))
### JUDGE
assert len(products) == len(left_over) == len(pairs), "there is a product for each pair"
for (left, right), (left_after, right_after), product in zip(pairs, left_over, products, strict=True):
    wanted = left.astype(np.float16).astype(np.float64) @ right.astype(np.float16).astype(np.float64)
    assert np.shape(product) == wanted.shape and product.dtype == np.float32, (
        "the result must be float32, of the product's shape"
    )
    assert np.allclose(product, wanted, rtol=2e-6, atol=2e-5), (
        "factors must be rounded to float16, and their products added up in float32"
    )
    assert np.array_equal(left, left_after) and np.array_equal(right, right_after), "the factors must stay as they are"
    assert left_after.dtype == left.dtype and right_after.dtype == right.dtype, "the factors must keep their type"
assert np.shape(many) == (2, 2) and np.array_equal(many, np.full((2, 2), 105000)), (
    "5000 times 21 must be 105000, beyond what float16 holds"
)
assert np.shape(tiny) == (1, 1) and np.array_equal(tiny, [[2.0**-28]]), (
    "a product that is too small for float16 must not vanish"
)
assert np.shape(weighed) == (1, 2) and np.array_equal(weighed, [[1, 2.0**-10]]), (
    "the second factor must be rounded to float16 too"
)
### END HIDDEN TESTS

# %% [markdown]
# The layer that is made of it is given: activations, weights and *gradients* are rounded to float16 where they are
# stored, its weights themselves stay float32. (These are called master weights: a step of the optimizer is often smaller
# than the gap between two float16 numbers, and would be lost.)

# %% nbgrader={"grade": false, "grade_id": "HalfLinear", "locked": true, "schema_version": 3, "solution": false, "task": false}
#| export
def as_stored(values: Array) -> Array:
    """Numbers as they are after they have been stored in float16, in float32 again.

    >>> as_stored(np.array([1e-8, 1 / 3, 1e6])).tolist()
    [0.0, 0.333251953125, inf]
    """
    with np.errstate(over="ignore"):  # what is too large becomes infinite, and is looked for later
        return values.astype(np.float16).astype(np.float32)


class HalfLinear(Linear):
    """A Linear layer whose numbers are stored in float16; its weight and bias stay float32.

    >>> HalfLinear(3, 2)(Tensor(np.ones((5, 3)))).shape
    (5, 2)
    """

    def forward(self, x: Tensor) -> Tensor:
        """(n, in_features) → (n, out_features)."""
        assert self.bias is not None
        output = as_stored(mixed_matmul(x.data, self.weight.data) + self.bias.data)
        return Tensor._result(output, "half_linear", (x, self.weight, self.bias))


@gradient_rule("half_linear")
class HalfLinearBackward(Function):
    """The three products of a Linear layer's gradients, each stored in float16.

    >>> layer, x = HalfLinear(2, 1), Tensor([[1, 2]])
    >>> (layer(x).sum() * 1e-8).backward()
    >>> layer.weight.grad.ravel()
    array([0., 0.], dtype=float32)
    """

    def apply(self, grad_output: Array) -> Gradients:
        """g Wᵀ, xᵀ g, and the sum of g over the batch."""
        x, weight, _ = self.inputs
        g = as_stored(grad_output)
        with np.errstate(invalid="ignore", over="ignore"):  # ∞ - ∞ and 0 · ∞ after an overflow: neither is a number
            grad_x, grad_weight = mixed_matmul(g, weight.T), mixed_matmul(x.T, g)
            return as_stored(grad_x), as_stored(grad_weight), as_stored(g.sum(axis=0))

# %% [markdown]
# ### Exercise 9: `LossScaler` (8 points, about 30 minutes)
#
# Gradients are small numbers, and get smaller as a model learns. Below 3 · 10⁻⁸ float16 makes zeros of them, and a model
# with zero gradients learns nothing. But gradients are proportional to the loss: **multiply the loss by S, and every
# gradient is S times as large** on its whole way back. Divide by S afterwards, in float32, and it is as if nothing had
# been done, except that nothing was lost.
#
# How large should S be? As large as possible without an overflow. So it is tried out while training:
#
# - a step whose gradients are not all finite is *left out*, and S is halved (but never below 1);
# - after `patience` good steps in a row S is doubled (but never above `largest`), and counting begins anew. A bad step
#   begins counting anew too.
#
# Powers of two, so that scaling and unscaling change no bit of the fraction.

# %% nbgrader={"grade": false, "grade_id": "LossScaler", "locked": false, "schema_version": 3, "solution": true, "task": false}
#| export
class LossScaler:
    """The factor on a loss, and when it changes.

    Args:
        scale: to begin with.
        patience: so many good steps in a row double it.
        largest: it is never above that.

    Attributes:
        scale: the factor now.

    >>> scaler = LossScaler(scale=8.0, patience=2)
    >>> scaler.unscale([np.array([4.0, 16.0], dtype=np.float16)])
    [array([0.5, 2. ], dtype=float32)]
    >>> scaler.update([np.array([1.0, np.inf])]), scaler.scale
    (False, 4.0)
    >>> scaler.update([np.array([1.0])]), scaler.update([np.array([1.0])]), scaler.scale
    (True, True, 8.0)

    Hints:
        1. What has to be remembered from step to step, besides the scale?
        2. Infinite is not the only thing that is not finite: what is ∞ - ∞?
        3. Dividing a float16 array by 1024.0 gives a float16 array. What do small gradients become in it?
    """

    def __init__(self, scale: float = 2.0**16, patience: int = 200, largest: float = 2.0**24):
        ### BEGIN SOLUTION
        self.scale, self.patience, self.largest = scale, patience, largest
        self._good_steps = 0
        ### END SOLUTION

    def unscale(self, gradients: Sequence[Array]) -> list[Array]:
        """New arrays: the gradients in float32, divided by the scale as it is now. Those handed over do not change."""
        ### BEGIN SOLUTION
        return [gradient.astype(np.float32) / np.float32(self.scale) for gradient in gradients]
        ### END SOLUTION

    def update(self, gradients: Sequence[Array]) -> bool:
        """Whether all gradients are finite, so that the step is to be made; and the scale of the next step."""
        ### BEGIN SOLUTION
        if not all(np.isfinite(gradient).all() for gradient in gradients):
            self.scale = max(self.scale / 2, 1.0)
            self._good_steps = 0
            return False
        self._good_steps += 1
        if self._good_steps == self.patience:
            self.scale = min(self.scale * 2, self.largest)
            self._good_steps = 0
        return True
        ### END SOLUTION

# %% tags=["raises-exception"] nbgrader={"grade": true, "grade_id": "test_LossScaler", "locked": true, "points": 8, "schema_version": 3, "solution": false, "task": false}
good, bad = [np.array([1.0, -2.0]), np.array([[0.5]])], [np.array([1.0, -2.0]), np.array([[np.inf]])]
scaler = LossScaler(scale=16.0, patience=3)
taken, scales = [], [float(scaler.scale)]
for number, gradients in enumerate((good, good, good, bad, good, good, bad, good, good, good)):
    if scaler.update(gradients):
        taken.append(number)
    scales.append(float(scaler.scale))
small_gradient = np.array([2.0**-20, 3.0], dtype=np.float16)
unscaled = LossScaler(scale=1024.0).unscale([small_gradient])
small_after = small_gradient.copy()
### JUDGE
assert scales[:4] == [16, 16, 16, 32], f"three good steps in a row double the scale, not before: {scales[:4]}"
assert scales[4:] == [16, 16, 16, 8, 8, 8, 16], (
    f"a bad step halves it and begins counting anew, three good ones double it again: {scales[4:]}"
)
assert taken == [0, 1, 2, 4, 5, 7, 8, 9], (
    f"all steps are to be made but the two whose gradients are not all finite, 3 and 6; these are: {taken}"
)
assert len(unscaled) == 1 and unscaled[0].dtype == np.float32, "unscaled gradients are float32"
assert np.array_equal(unscaled[0], np.array([2.0**-30, 3 / 1024], dtype=np.float32)), (
    f"2⁻²⁰ / 1024 is 2⁻³⁰, and not 0: divide in float32; got {unscaled[0]}"
)
assert np.array_equal(small_after, np.array([2.0**-20, 3.0], dtype=np.float16)), "what is handed over is not changed"
### BEGIN HIDDEN TESTS
draw = np.random.default_rng(1809)
steps = [[draw.normal(size=(2, 3)), draw.normal(size=4)] for _ in range(40)]
for place, poison in ((3, np.nan), (4, np.inf), (9, -np.inf), (22, np.nan), (23, np.nan), (24, np.inf), (25, np.inf)):
    steps[place][place % 2].flat[place % 4] = poison
steps_taken, scale_paths = [], []
for first_scale, patience, largest in ((4.0, 2, 64.0), (1.0, 1, 8.0), (2.0, 5, 2.0**24), (1024.0, 4, 1024.0)):
    scaler = LossScaler(first_scale, patience, largest)
    taken, scales = [], []
    for number, gradients in enumerate(steps):
        if scaler.update(gradients):
            taken.append(number)
        scales.append(float(scaler.scale))
    steps_taken.append(taken)
    scale_paths.append(scales)
default = LossScaler()
defaults = [float(default.scale)]
for _ in range(401):
    default.update(steps[0])
    defaults.append(float(default.scale))
for _ in range(200 * 7):
    default.update(steps[0])
capped = float(default.scale)
changing = LossScaler(scale=8.0, patience=1)
arrays = [
    np.array([[8.0, -4.0, 1.0001, 3e-9]], dtype=np.float32),
    np.array([1.0, np.inf, 0.0], dtype=np.float16),
    np.array([0.1, -7e-12]),
]
handed = [array.copy() for array in arrays]
first_unscaled = changing.unscale(handed)
changing.update([np.ones(2)])
later_unscaled = changing.unscale(handed)
left_over = [array.copy() for array in handed]
by_default = LossScaler().unscale([np.array([3.0, 2.0**-14], dtype=np.float16)])
### JUDGE
assert len(steps_taken) == len(scale_paths) == 4, "each scaler has gone all steps"
bad_steps = (3, 4, 9, 22, 23, 24, 25)
for taken_steps in steps_taken:
    assert taken_steps == [index for index in range(40) if index not in bad_steps], (
        "gradients that are infinite or not a number must be told, in whichever array; all others must be taken"
    )
settings = ((4.0, 2, 64.0), (1.0, 1, 8.0), (2.0, 5, 2.0**24), (1024.0, 4, 1024.0))
for (own_scale, own_patience, own_largest), path in zip(settings, scale_paths, strict=True):
    own_good, wanted_path = 0, []
    for index in range(40):
        own_good = 0 if index in bad_steps else own_good + 1
        if index in bad_steps:
            own_scale = max(own_scale / 2, 1.0)
        elif own_good == own_patience:
            own_scale, own_good = min(2 * own_scale, own_largest), 0
        wanted_path.append(own_scale)
    assert path == wanted_path, (
        "halved after a bad step, never below 1; doubled after `patience` good ones in a row, never above `largest`"
    )
assert defaults == [2.0**16] * 200 + [2.0**17] * 200 + [2.0**18] * 2, (
    "it begins with 2**16, and 200 good steps double it"
)
assert capped == 2.0**24, "it is never above 2**24 if nothing else is said"
assert len(first_unscaled) == len(later_unscaled) == 3, "each gradient is unscaled"
for divisor, results in ((8, first_unscaled), (16, later_unscaled)):
    for array, result in zip(arrays, results, strict=True):
        assert result.dtype == np.float32 and np.array_equal(result, array.astype(np.float32) / np.float32(divisor)), (
            "gradients must be divided by the scale as it is now, in float32"
        )
assert len(by_default) == 1 and np.array_equal(by_default[0], np.array([3 / 2**16, 2.0**-30], dtype=np.float32)), (
    "a scale beyond what float16 holds must divide as well"
)
assert len(left_over) == 3 and all(map(np.array_equal, left_over, arrays)), "what is handed over must not be changed"
### END HIDDEN TESTS

# %% [markdown]
# ### Exercise 10: `mixed_precision_step` (7 points, about 25 minutes)
#
# One step of training: forward, the *scaled* loss backward, the gradients unscaled, and the optimizer's step if all were
# finite. A step that is left out changes neither weights nor the optimizer's momentum.

# %% nbgrader={"grade": false, "grade_id": "mixed_precision_step", "locked": false, "schema_version": 3, "solution": true, "task": false}
#| export
def mixed_precision_step(
    model: Any, loss_fn: Any, optimizer: Optimizer, scaler: LossScaler, x: Tensor, y: Tensor
) -> float:
    """One step of training with a scaled loss.

    Every parameter of the optimizer gets a gradient from this loss; older gradients are forgotten.

    Returns:
        the loss itself, not scaled, before the step.

    Hints:
        1. A loss is a Tensor: `(loss * number).backward()` works.
        2. `optimizer.params` are the parameters; `step` takes what stands in their `.grad`.
        3. Which has to come first, `scaler.unscale` or `scaler.update`? By what were these gradients multiplied?
    """
    ### BEGIN SOLUTION
    optimizer.zero_grad()
    loss = loss_fn(model(x), y)
    (loss * scaler.scale).backward()
    gradients: list[Any] = [parameter.grad for parameter in optimizer.params]
    unscaled = scaler.unscale(gradients)
    if scaler.update(unscaled):
        for place, gradient in enumerate(unscaled):
            optimizer.params[place].grad = gradient
        optimizer.step()
    return float(loss.data)
    ### END SOLUTION

# %% tags=["raises-exception"] nbgrader={"grade": true, "grade_id": "test_mixed_precision_step", "locked": true, "points": 7, "schema_version": 3, "solution": false, "task": false}
class SpareScaler:
    """Stands in for the one of exercise 9: every good step doubles the scale, every bad one halves it."""

    def __init__(self, scale):
        self.scale = scale

    def unscale(self, gradients):
        return [np.multiply(gradient, 1 / self.scale, dtype=np.float32) for gradient in gradients]

    def update(self, gradients):
        is_finite = all(bool(np.all(np.isfinite(gradient))) for gradient in gradients)
        self.scale = self.scale * 2 if is_finite else self.scale / 2
        return is_finite


def half_layer(weight):
    """A HalfLinear layer with a copy of this weight, and a bias of zeros."""
    layer = HalfLinear(*weight.shape)
    layer.weight.data = weight.copy()
    return layer


def right_mixed_matmul(a, b):
    return np.matmul(a.astype(np.float16).astype(np.float32), b.astype(np.float16).astype(np.float32))


def summed(predictions, factors):
    """A loss whose gradient is known: each prediction times its factor, added up."""
    return (predictions * factors.data).sum()


layer = half_layer(np.array([[1.0], [2.0]], dtype=np.float32))
optimizer, scaler = SGD(layer.parameters(), lr=2.0**25, momentum=0.5), SpareScaler(2.0**12)
x, tiny, huge = Tensor([[2.0, -4.0]]), Tensor([[2.0**-26]]), Tensor([[2.0**10]])
losses, weights, scales = [], [], []
with stand_ins(mixed_matmul=right_mixed_matmul):
    for factors in (tiny, huge, tiny):
        losses.append(mixed_precision_step(layer, summed, optimizer, scaler, x, factors))
        weights.append(np.append(layer.weight.data, layer.bias.data))
        scales.append(float(scaler.scale))
### JUDGE
half = 0.5  # the rate of 2²⁵ times a factor of 2⁻²⁶, of which float16 would make a zero
assert len(losses) == 3 and np.allclose(
    losses, [-6 * 2.0**-26, -16.5 * 2.0**10, -16.5 * 2.0**-26], rtol=1e-6, atol=0
), f"the loss itself is wanted, before the step and not scaled: -6 · 2⁻²⁶ is the first, got {losses}"
after_first = np.array([1.0, 2.0, 0.0]) - half * np.array([2.0, -4.0, 1.0])
assert len(weights) == 3 and np.allclose(weights[0], after_first, rtol=1e-6, atol=0), (
    f"a gradient of 2⁻²⁶ survives if the loss is scaled, and is unscaled before the step; weight and bias are {weights[0]}"
)
assert scales == [2.0**13, 2.0**12, 2.0**13], (
    f"the scaler is asked once a step: this one doubles after a good step and halves after a bad one; got {scales}"
)
assert np.array_equal(weights[1], weights[0]), "gradients that overflow must leave weight and bias as they are"
after_third = after_first - 1.5 * half * np.array([2.0, -4.0, 1.0])
assert np.allclose(weights[2], after_third, rtol=1e-6, atol=0), (
    f"the step that was left out must not count in the momentum either; weight and bias are {weights[2]}"
)
### BEGIN HIDDEN TESTS
draw = np.random.default_rng(1810)
first_weight = draw.integers(-3, 4, size=(4, 3)).astype(np.float32)
inputs = draw.integers(-2, 3, size=(5, 5, 4)).astype(np.float32)
factors = (draw.integers(-3, 4, size=(5, 5, 3)) * 2.0**-27).astype(np.float32)
layer = half_layer(first_weight)
optimizer, scaler = SGD(layer.parameters(), lr=2.0**20, momentum=0.0), SpareScaler(2.0**8)
layer.weight.grad, layer.bias.grad = np.ones((4, 3), dtype=np.float32), np.ones(3, dtype=np.float32)
path, step_losses = [], []
with stand_ins(mixed_matmul=right_mixed_matmul):
    for batch, factor in zip(inputs, factors, strict=True):
        step_losses.append(mixed_precision_step(layer, summed, optimizer, scaler, Tensor(batch), Tensor(factor)))
        path.append([layer.weight.data.copy(), layer.bias.data.copy()])
scale_at_the_end = float(scaler.scale)
kinds = [layer.weight.dtype.name, layer.bias.dtype.name]
### JUDGE
weight, bias = first_weight.astype(np.float64), np.zeros(3)
assert len(path) == len(step_losses) == 5, "each step gives a loss"
for rows, share, shown, (weight_after, bias_after) in zip(inputs, factors, step_losses, path, strict=True):
    exact = np.sum((rows @ weight + bias) * share)
    assert np.ndim(shown) == 0 and np.isclose(shown, exact, rtol=2e-3, atol=2e-8), (
        "the loss must be the one before the step, not scaled"
    )
    weight, bias = weight - 2.0**20 * (rows.T @ share), bias - 2.0**20 * share.sum(axis=0)
    assert np.shape(weight_after) == (4, 3) and np.allclose(weight_after, weight, rtol=1e-6, atol=1e-5), (
        "gradients far below what float16 holds must move the weights; older gradients must be forgotten first"
    )
    assert np.shape(bias_after) == (3,) and np.allclose(bias_after, bias, rtol=1e-6, atol=1e-5), (
        "the bias must move too"
    )
assert scale_at_the_end == 2.0**13, "the scaler must be asked once in each step"
assert kinds == ["float32", "float32"], "master weights are float32"
### END HIDDEN TESTS

# %% [markdown]
# ### Exercise 11: `accelerate_model` (6 points, about 20 minutes)
#
# Put it together: in a model that stands in lists `.layers`, every convolution becomes an `AcceleratedConv2d` with the
# same weights, and every `GELU` a `FusedGELU`. In place, at any depth; everything else stays the object that it was.

# %% nbgrader={"grade": false, "grade_id": "accelerate_model", "locked": false, "schema_version": 3, "solution": true, "task": false}
#| export
def accelerate_model(model: Any) -> int:
    """Replace the convolutions and GELUs of a model by quick ones, in place.

    Args:
        model: has a list `layers`; what has a list `layers` in there is gone through as well.

    Returns:
        int: how many layers were replaced.

    Hints:
        1. To replace a layer you need its place in the list, not only the layer.
        2. `LoopConv2d` of part 1 is a `Conv2d` too. Which question tells you so?
    """
    ### BEGIN SOLUTION
    replaced = 0
    for place, layer in enumerate(model.layers):
        if isinstance(layer, Conv2d):
            model.layers[place] = AcceleratedConv2d(layer)
            replaced += 1
        elif isinstance(layer, GELU):
            model.layers[place] = FusedGELU()
            replaced += 1
        elif hasattr(layer, "layers"):
            replaced += accelerate_model(layer)
    return replaced
    ### END SOLUTION

# %% tags=["raises-exception"] nbgrader={"grade": true, "grade_id": "test_accelerate_model", "locked": true, "points": 6, "schema_version": 3, "solution": false, "task": false}
class Swapped:
    """Stands in for a quick layer, and knows which one it replaces."""

    def __init__(self, conv=None):
        self.conv = conv


def shown(layers):
    """What stands in a list of layers: quick ones by what they replace, others by their kind."""
    rows = []
    for layer in layers:
        if isinstance(layer, Swapped):
            rows.append("quick GELU" if layer.conv is None else layer.conv.weight.data.ravel().tolist())
        else:
            rows.append(shown(layer.layers) if hasattr(layer, "layers") else type(layer).__name__)
    return rows


class Narrow(Conv2d):
    """A convolution of another class."""


def narrow(value, kind=Conv2d):
    """A convolution with a single weight, of this value."""
    conv = kind(1, 1, 1)
    conv.weight.data = np.full((1, 1, 1, 1), value, dtype=np.float32)
    return conv


model = Sequential(narrow(2.0), GELU(), MaxPool2d(2), Sequential(GELU(), narrow(3.0, Narrow)), Flatten(), Linear(4, 2))
last = model.layers[5]
with stand_ins(AcceleratedConv2d=Swapped, FusedGELU=Swapped):
    replaced = accelerate_model(model)
    kinds = shown(model.layers)
last.weight.data = np.full((4, 2), 7.0, dtype=np.float32)
same_last = model.layers[5].weight.data
### JUDGE
assert isinstance(replaced, int) and replaced == 4, f"two convolutions and two GELUs are replaced: 4, got {replaced}"
assert kinds == [[2.0], "quick GELU", "MaxPool2d", ["quick GELU", [3.0]], "Flatten", "Linear"], (
    f"each convolution is replaced by a quick one made from it, each GELU as well, at any depth; got {kinds}"
)
assert np.array_equal(same_last, np.full((4, 2), 7.0)), "other layers stay the objects that they were"
### BEGIN HIDDEN TESTS
deep = Sequential(
    Sequential(Sequential(narrow(5.0), Flatten()), GELU()), Linear(1, 1), narrow(6.0), narrow(7.0, Narrow)
)
inner = deep.layers[0]
with stand_ins(AcceleratedConv2d=Swapped, FusedGELU=Swapped):
    counts = [
        accelerate_model(deep),
        accelerate_model(Sequential(Flatten(), Linear(2, 2))),
        accelerate_model(Sequential()),
    ]
    deep_kinds, inner_kinds = shown(deep.layers), shown(inner.layers)
draw = np.random.default_rng(1811)
whole = Sequential(
    Conv2d(2, 3, (3, 2), stride=(2, 1), padding=(1, 0)), GELU(), Sequential(Conv2d(3, 2, 2), GELU()), Flatten()
)
arrays = [draw.normal(size=size).astype(np.float32) for size in ((3, 2, 3, 2), 3, (2, 3, 2, 2))]
whole.layers[0].weight.data, whole.layers[0].bias.data = arrays[0].copy(), arrays[1].copy()
whole.layers[2].layers[0].weight.data = arrays[2].copy()
images = draw.normal(size=(2, 2, 6, 5)).astype(np.float32)
held = whole.layers[0].weight


def quick_convolution(images, weight, bias=None, stride=(1, 1), padding=(0, 0)):
    return loop_convolution(images, weight, bias, stride, padding)


def quick_gelu(x, size, xp=np):
    return (0.5 * x * (1 + np.tanh(np.sqrt(2 / np.pi) * (x + 0.044715 * x**3)))).astype(x.dtype)


with stand_ins(conv2d_im2col=quick_convolution, gelu_blocks=quick_gelu):
    counts.append(accelerate_model(whole))
    scores = whole(Tensor(images)).data
    held.data = held.data * 2
    doubled = whole(Tensor(images)).data


### JUDGE
def gelu_of(values):
    return 0.5 * values * (1 + np.tanh(np.sqrt(2 / np.pi) * (values + 0.044715 * values**3)))


def by_hand(images, weight, bias, stride, padding):
    framed = np.pad(images, ((0, 0), (0, 0), (padding[0],) * 2, (padding[1],) * 2)).astype(np.float64)
    windows = np.lib.stride_tricks.sliding_window_view(framed, weight.shape[2:], axis=(2, 3))
    windows = windows[:, :, :: stride[0], :: stride[1]]
    return np.einsum("nchwij,ocij->nohw", windows, weight.astype(np.float64)) + bias[:, None, None]


assert counts == [4, 0, 0, 4], "what is replaced must be counted, at any depth; nothing else is"
assert deep_kinds == [[[[5.0], "Flatten"], "quick GELU"], "Linear", [6.0], [7.0]], (
    "every convolution and every GELU must be replaced, at any depth"
)
assert inner_kinds == [[[5.0], "Flatten"], "quick GELU"], "containers must stay the objects that they were"
for factor, answer in ((1, scores), (2, doubled)):
    hidden = gelu_of(by_hand(images, factor * arrays[0], arrays[1], (2, 1), (1, 0)))
    wanted = gelu_of(by_hand(hidden, arrays[2], np.zeros(2), (1, 1), (0, 0))).reshape(2, -1)
    assert np.shape(answer) == wanted.shape and np.allclose(answer, wanted, rtol=1e-3, atol=1e-4), (
        "the model must answer as before, with the very Tensors that the layers had"
    )
### END HIDDEN TESTS

# %% [markdown]
# ## 7. The network again
#
# All that follows is ungraded, and needs your functions. Where one is missing, the cell says so and the others go on.
#
# ### 7.1 Same answers, other height
#
# The network of part 1, window by window, and a copy of it after `accelerate_model`: first the answers, then each layer
# on the roofline, as in 1.2. A figure from before is only comparable with one of the same minute; so both are measured
# now, layer by layer.
#
# **Predict before you run.** How many times quicker will the whole network be? Which layer will be the dearest then?
#
# **Validate** (not graded): scores, accuracy, and both tables.

# %% tags=["validate", "raises-exception"]
quick = copy.deepcopy(looped)
print(f"{accelerate_model(quick)} layers replaced")
with no_grad():
    scores, quick_scores = looped(BATCH).data, quick(BATCH).data
print(f"the scores differ by at most {np.abs(scores - quick_scores).max():.1e}, of {np.abs(scores).max():.1f} at most")
print(f"accuracy: {accuracy(network):.2%} with module 09's layers, {accuracy(quick):.2%} with yours\n")
rows_before, rows_after = on_the_roofline(looped, BATCH), on_the_roofline(quick, BATCH)
for rows in (rows_before, rows_after):
    print_rows(rows)
    print()
for before, after in zip(rows_before, rows_after, strict=True):
    print(f"{before[0]:>12} → {after[0]:<18} {before[2] / after[2]:>7.1f} times as quick")
print(f"{'all':>12}   {'':<18} {sum(row[2] for row in rows_before) / sum(row[2] for row in rows_after):>7.1f}")

# %% tags=["validate", "raises-exception"] jupyter={"source_hidden": true}
# Validate (not graded): both on the roofline.
plt = pyplot()
if plt:
    figure, axis = plt.subplots(figsize=(7, 4))
    draw_roofline(axis, [("window by window", "o", rows_before), ("yours", "s", rows_after)])
    for before, after in zip(rows_before, rows_after, strict=True):
        axis.annotate("", (after[4], after[3]), (before[4], before[3]), arrowprops={"arrowstyle": "->", "color": "0.7"})
    figure.tight_layout()
    plt.show()

# %% [markdown]
# What is not on the picture: the columns that `im2col` writes and the product reads again. The bytes on the horizontal
# axis are those that *have* to move. The next table says what the columns cost on top.
#
# **Predict before you run.** Padded so that the image keeps its size: how many times as many numbers have the columns as
# the image, for a window of 5 × 5?
#
# **Validate** (not graded): bytes for speed.

# %% tags=["validate", "raises-exception"]
images = np.random.default_rng(18).normal(size=(8, 16, 16, 16)).astype(np.float32)
print(f"{'window':>6} {'image KB':>9} {'columns KB':>11} {'times':>6} {'ms, loop':>9} {'ms, product':>12} {'ratio':>7}")
for side in (1, 3, 5, 7):
    weight = np.random.default_rng(side).normal(size=(8, 16, side, side)).astype(np.float32)
    border = ((side - 1) // 2,) * 2
    columns = im2col(images, (side, side), (1, 1), border)
    loop_ms, product_ms = [], []
    for _ in range(3):  # in turns, so that a busy moment hits both
        for run, taken in ((loop_convolution, loop_ms), (conv2d_im2col, product_ms)):
            taken += run_times(lambda run=run: run(images[:1], weight, None, (1, 1), border), warmup=0, iterations=1)
    loop, product = np.median(loop_ms), np.median(product_ms)
    print(
        f"{side:>6} {images.nbytes / 1024:>9.0f} {columns.nbytes / 1024:>11.0f} {columns.nbytes / images.nbytes:>6.1f} "
        f"{loop:>9.2f} {product:>12.2f} {loop / product:>7.1f}"
    )

# %% [markdown]
# ### 7.2 Tiles: what is moved, and what it takes
#
# `multiply_tiles` on matrices that count, at growing tile sizes: numbers read, and how they fall. Then the clock, for
# `tiled_matmul` against the one call of exercise 1.
#
# **Predict before you run.** The numbers read halve with each doubling of the tile. Does the time as well? And which tile
# size beats the one call?
#
# **Validate** (not graded): the count, and the time beside it.

# %% tags=["validate", "raises-exception"]
class Counting:
    """A matrix that counts the numbers that are read from it."""

    def __init__(self, values):
        self.values, self.shape, self.numbers = values, values.shape, 0

    def __getitem__(self, place):
        block = self.values[place]
        self.numbers += block.size
        return block


SIDE, TILES = 192, (4, 8, 16, 32, 64, 192)
left, right = np.random.default_rng(18).normal(size=(2, SIDE, SIDE)).astype(np.float32)
print(f"{'tile':>5} {'numbers read':>13} {'2n³/t':>11} {'error':>9} {'times the time of one call':>27}")
counted = []
for tile_size in TILES:
    a, b, product = Counting(left), Counting(right), np.empty((SIDE, SIDE), dtype=np.float32)
    multiply_tiles(a, b, product, tile_size)
    counted.append(a.numbers + b.numbers)
    ratios = []
    for _ in range(3):
        started = time.perf_counter()
        tiled_matmul(Tensor(left), Tensor(right), tile_size)
        between = time.perf_counter()
        vectorized_matmul(Tensor(left), Tensor(right))
        ratios.append((between - started) / (time.perf_counter() - between))
    error = np.abs(product - left @ right).max()
    print(f"{tile_size:>5} {counted[-1]:>13,} {2 * SIDE**3 // tile_size:>11,} {error:>9.1e} {np.median(ratios):>27.1f}")
exponent = np.polyfit(np.log(TILES), np.log(counted), 1)[0]
print(f"the numbers read grow like the tile size to the power {exponent:.2f}")

# %% tags=["validate", "raises-exception"] jupyter={"source_hidden": true}
# Validate (not graded): the same as a picture.
plt = pyplot()
if plt:
    figure, axis = plt.subplots(figsize=(6, 3.2))
    axis.loglog(TILES, counted, "o-", label="counted")
    axis.loglog(TILES, [2 * SIDE**3 / tile_size for tile_size in TILES], "--", color="0.5", label="2n³ / t")
    axis.axhline(2 * SIDE**2, color="0.7", label="each number once")
    axis.set_xlabel("tile size t")
    axis.set_ylabel("numbers read")
    axis.legend(fontsize=8)
    figure.tight_layout()
    plt.show()

# %% [markdown]
# The one call is hard to beat, and no wonder: the library behind it works by tiles too, in several sizes for several
# caches, in compiled loops. Small tiles in Python pay for calls what they save in trips (1.3). The count shows what the
# library saves; the clock shows what Python costs.
#
# ### 7.3 Fusing: passes, buffers, time
#
# Three ways to the same GELU: the formula, step by step with a name for each; `gelu_into`; `gelu_blocks`. `tracemalloc`
# says how much each allocates at its height, in arrays of the size of x. (It explains. Points rest on the unit that
# counted in exercises 6 and 7.)
#
# **Predict before you run.** How many arrays at the height of each? And which block size is best: as small as possible,
# as large as possible, or something between?
#
# **Validate** (not graded): memory at its height, and times as ratios.

# %% tags=["validate", "raises-exception"]
def gelu_by_formula(x):
    """A name for each step: every one of them stays until the end."""
    square = x * x
    cubic = GELU_CUBIC * square + 1
    inner = cubic * x * GELU_SCALE
    bent = np.tanh(inner)
    raised = bent + 1
    product = raised * x
    return 0.5 * product


def gelu_in_place(x):
    out = np.empty_like(x)
    gelu_into(x, out)
    return out


def peak_arrays(run, x):
    """The most that a run had allocated at once, in arrays of the size of x."""
    tracemalloc.start()
    run(x)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak / x.nbytes


x = np.random.default_rng(18).normal(size=2**22).astype(np.float32)
ways = {"by the formula": gelu_by_formula, "in place": gelu_in_place}
ways |= {
    f"blocks of {size:,}": lambda x, size=size: gelu_blocks(x, size) for size in (256, 4096, 16384, 65536, 2**18, 2**22)
}
wanted, taken = gelu_by_formula(x), {name: [] for name in ways}
for _ in range(3):
    for name, run in ways.items():
        taken[name] += run_times(lambda run=run: run(x), warmup=0, iterations=1)
print(
    f"{x.size:,} numbers, {x.nbytes / 2**20:.0f} MB\n{'':<20} {'arrays at the height':>21} {'error':>9} {'time, formula = 1':>18}"
)
for name, run in ways.items():
    error, share = np.abs(run(x) - wanted).max(), np.median(taken[name]) / np.median(taken["by the formula"])
    print(f"{name:<20} {peak_arrays(run, x):>21.2f} {error:>9.1e} {share:>18.2f}")

# %% [markdown]
# ### 7.4 What float16 loses of gradients
#
# A small reader of digits, trained a little, in float32. Here are all its gradients for a few digits, as a histogram
# over powers of two, and the range of float16 below it. The loss is a mean over 32 digits; the same gradients are shown
# for a mean over many more numbers, as in a network that judges every pixel of large images: there each one's share is
# that much smaller.
#
# **Predict before you run.** Which share of the gradients would be zero in float16? And with a loss that is 2²⁰ times
# smaller?
#
# **Validate** (not graded): shares that vanish, and shares that overflow, at several scales.

# %% tags=["validate", "raises-exception"]
MANY = 2.0**-20  # a mean over a million times as many numbers
LEARN = TensorDataset(Tensor(load_digits("train")[0].data.reshape(-1, 64)), load_digits("train")[1])
TEST_PIXELS, TEST_LABELS = load_digits("test")[0].data.reshape(-1, 64), load_digits("test")[1].data


def small_reader(kind, seed=18):
    """Two layers of a kind, untrained; each kind begins with the same weights."""
    np.random.seed(seed)
    return Sequential(kind(64, 48), GELU(), kind(48, 10))


def reads(model):
    """Share of the test digits."""
    with no_grad():
        return float(np.mean(model(Tensor(TEST_PIXELS)).data.argmax(axis=1) == TEST_LABELS))


def loss_of(share):
    """The mean cross-entropy, times a share."""
    cross_entropy = CrossEntropyLoss()
    return lambda scores, labels: cross_entropy(scores, labels) * share


def trained(kind, share, scaler, epochs=6):
    """A small reader, trained by mixed_precision_step; the rate makes up for the share."""
    model, losses = small_reader(kind), []
    optimizer = SGD(model.parameters(), lr=0.1 / share, momentum=0.9)
    for _ in range(epochs):
        for images, labels in DataLoader(LEARN, batch_size=32, shuffle=True, seed=18):
            losses.append(mixed_precision_step(model, loss_of(share), optimizer, scaler, images, labels) / share)
    return model, losses


class NoScaler(LossScaler):
    """The ablation: a factor of 1 that stays."""

    def __init__(self):
        self.scale = 1.0

    def update(self, gradients):
        return True


full, full_losses = trained(Linear, 1.0, NoScaler(), epochs=2)
full(Tensor(TEST_PIXELS[:32]))
for tensor in full.parameters():
    tensor.grad = None
CrossEntropyLoss()(full(Tensor(TEST_PIXELS[:32])), Tensor(TEST_LABELS[:32])).backward()
gradients = np.concatenate([tensor.grad.ravel() for tensor in full.parameters()])
gradients = gradients[gradients != 0].astype(np.float64)
print(
    f"{gradients.size:,} gradients that are not zero, the median of their magnitudes is {np.median(np.abs(gradients)):.1e}"
)
print(f"{'scale':>8} {'loss as it is':>28} {'loss of 2⁻²⁰':>28}")
for power in (0, 8, 16, 24, 32):
    shares = []
    for factor in (1.0, MANY):
        stored = as_stored(gradients * factor * 2.0**power)
        shares.append(f"{np.mean(stored == 0):>6.1%} zero, {np.mean(np.isinf(stored)):>6.1%} infinite")
    print(f"{f'2^{power}':>8} {shares[0]:>28} {shares[1]:>28}")

# %% tags=["validate", "raises-exception"] jupyter={"source_hidden": true}
# Validate (not graded): the histogram.
plt = pyplot()
if plt:
    figure, axis = plt.subplots(figsize=(7, 3.2))
    for factor, label in ((1.0, "loss as it is"), (MANY, "loss of 2⁻²⁰"), (MANY * 2.0**20, "the same, scaled by 2²⁰")):
        axis.hist(
            np.log2(np.abs(gradients) * factor),
            bins=np.arange(-60, 18),
            histtype="step",
            label=label,
            linestyle="--" if factor == 1.0 and "scaled" in label else "-",
        )
    axis.axvspan(-25, 16, color="0.92", label="float16: below it zero, above it infinite")
    axis.axvspan(-25, -14, color="0.85", label="float16 with fewer and fewer digits")
    axis.set_xlabel("power of two of the gradient's magnitude")
    axis.set_ylabel("gradients")
    axis.legend(fontsize=7)
    figure.tight_layout()
    plt.show()

# %% [markdown]
# ### 7.5 Does it need the scaling?
#
# Four times the same training, from the same weights with the same batches: in float32; in mixed precision with your
# scaler; in mixed precision *without* scaling (the ablation); and with a scale that is far too large and never changes.
# All with a loss of 2⁻²⁰ and a rate that makes up for it, so that float32 does what it would do anyway.
#
# **Predict before you run.** What will the third one read?
#
# **Validate** (not graded): the method, and without it.

# %% tags=["validate", "raises-exception"]
class Stubborn(NoScaler):
    """The other ablation: a factor that is far too large; steps that overflow are left out."""

    def __init__(self):
        self.scale = 2.0**60

    def update(self, gradients):
        return bool(np.isfinite(np.concatenate([gradient.ravel() for gradient in gradients])).all())


scaler = LossScaler(patience=20, largest=2.0**40)
with np.errstate(invalid="ignore", over="ignore"):
    runs = {
        "float32": trained(Linear, MANY, NoScaler()),
        "mixed, scaled": trained(HalfLinear, MANY, scaler),
        "mixed, not scaled": trained(HalfLinear, MANY, NoScaler()),
        "mixed, scale stuck at 2^60": trained(HalfLinear, MANY, Stubborn()),
    }
for name, (model, losses) in runs.items():
    print(f"{name:<28} loss {losses[0]:.3f} → {np.mean(losses[-20:]):.3f}, reads {reads(model):.1%}")
print(f"your scaler ended at 2^{np.log2(scaler.scale):.0f}")
band = abs(reads(runs["mixed, scaled"][0]) - reads(runs["float32"][0]))
print(
    f"within {100 * band:.1f} points of float32; without scaling {reads(runs['mixed, not scaled'][0]):.1%}: chance would be about 10 %"
)

# %% tags=["validate", "raises-exception"] jupyter={"source_hidden": true}
# Validate (not graded): the losses on the way.
plt = pyplot()
if plt:
    figure, axis = plt.subplots(figsize=(7, 3.2))
    for (name, (_, losses)), style in zip(runs.items(), ("-", "--", "-.", ":"), strict=True):
        axis.plot(np.convolve(losses, np.ones(10) / 10, mode="valid"), style, label=name)
    axis.set_xlabel("step")
    axis.set_ylabel("loss, mean of ten steps")
    axis.legend(fontsize=8)
    figure.tight_layout()
    plt.show()

# %% [markdown]
# ### 7.6 Where 16 bits are added up
#
# The other ablation: the same product, but added up in float16.
#
# **Predict before you run.** A thousand, ten thousand, a hundred thousand ones. Where do the sums stand still?
#
# **Validate** (not graded): storage and sums.

# %% tags=["validate", "raises-exception"]
print(f"{'terms':>8} {'exact':>9} {'sum in float32':>15} {'sum in float16':>15}")
for terms in (1000, 3000, 10_000, 100_000):
    ones = np.ones((1, terms), dtype=np.float16)
    running = np.float16(0)
    for term in ones[0]:
        running = np.float16(running + term)
    print(f"{terms:>8,} {terms:>9,} {mixed_matmul(ones, ones.T)[0, 0]:>15,.0f} {running:>15,.0f}")

# %% [markdown]
# ## 8. Two questions to answer in writing
#
# Use figures from your own notebook, whichever way they went. Half a page each is enough.

# %% [markdown] nbgrader={"grade": false, "grade_id": "task_bound", "locked": true, "points": 10, "schema_version": 3, "solution": false, "task": true}
# **Question 1 (10 points, about 30 minutes): what was the time spent on?**
#
# a) In 1.2 the convolutions lie far below the roof, under its flat and its sloping part alike. What binds them? Support
# it with 1.3. What has `im2col` changed, and what has it *not* changed, in operations, bytes and calls?
#
# b) Derive how many numbers `multiply_tiles` reads for n × n matrices and tiles of t, compare with 7.2, and say which t
# you would choose for a cache of 48 KB. Why is the time in 7.2 not proportional to this count?
#
# c) The columns of a 3 × 3 window have nine times as many numbers as the image. Why can it be quicker all the same? Name
# a case in which it would not be, and say how you would find out.
#
# === BEGIN MARK SCHEME ===
# a) 4 points: neither operations nor bytes but the cost of calls (1), with a figure from 1.3 for a call, or times as long
# in many calls, and the number of windows (1); operations are the same (1); calls have become few, and bytes moved have
# become more (the columns) (1).
#
# b) 3 points: (n/t)² tiles of out, n/t steps, 2t² numbers each: 2n³/t (1); three tiles of float32 in 48 KB: 3 · 4 · t² ≤
# 49,152, so t ≤ 64; two tiles and a sum, or any reasoning that leads to about that (1); each step costs a call of Python
# as well, n³/t³ of them, and small products use the arithmetic badly; from some t on the operations bind (1).
#
# c) 3 points: what is saved are thousands of calls, and the product is made by a library near its roof (1); a case: a
# large image with few kernels (little arithmetic for each column number), a cache or memory that the columns do not fit
# into, a 1 × 1 window, for which the image itself serves (1); a measurement: in turns with the other in the same run,
# answers compared (1).
# === END MARK SCHEME ===

# %% [markdown]
# *Your answer:*

# %% [markdown] nbgrader={"grade": false, "grade_id": "task_precision", "locked": true, "points": 10, "schema_version": 3, "solution": false, "task": true}
# **Question 2 (10 points, about 30 minutes): fewer passes, fewer bytes**
#
# a) Count passes over memory for GELU: by the formula, in place, by blocks. What did the clock of 7.3 say of each, and
# which block sizes are bad, at both ends, for which reason?
#
# b) What does 7.5 show that 7.4 does not? Why is it no use to make the learning rate larger instead of scaling the loss?
# Why are the weights kept in float32?
#
# c) Why is a reference timed in the same run, in turns, and not once before? Name two things that a single time from
# another minute would have blamed on your code.
#
# === BEGIN MARK SCHEME ===
# a) 4 points: by the formula each of the steps reads one or two arrays and writes one, about twenty to thirty trips of n
# numbers, in place the same trips and no allocations, by blocks one read and one write (2; 1 if only two are right); own
# figures read rightly (1); small blocks: calls; large ones: no longer in the cache (1).
#
# b) 4 points: 7.4 shows that gradients would be lost, 7.5 that nothing is learned then, and that scaling is what cures
# it, since all else is the same (1), with figures (1); the rate multiplies what is left of the gradient, and zero times
# anything is zero (1); a step is often smaller than half the gap between two float16 numbers, and would be rounded away
# (1).
#
# c) 2 points: two of: other programs at work, a changed clock rate, cold caches, memory that is set up on first use, the
# garbage collector (1 each).
# === END MARK SCHEME ===

# %% [markdown]
# *Your answer:*

# %% [markdown]
# ## Summary
#
# - A roof says what could be; the distance from it says that something else binds. Below both parts of the roof it is
#   calls.
# - One call for whole matrices; a check before it, for numpy broadcasts what was not meant.
# - Tiles make a number that was fetched serve t times. What is read falls like 1 / t, and can be counted.
# - A convolution is a matrix product, at the price of columns that hold each pixel many times.
# - Steps that hardly compute are fused: no temporaries, and by blocks each number comes from memory once.
# - 16 bits are enough for storing, not for adding up; and gradients survive them if the loss is scaled.
# - Every gain is held against a reference in the same run, and every answer against the slow one.
#
# **Further exercises** (not graded)
#
# 1. Write `im2col` with a view (`sliding_window_view`) and one copy. Which is quicker, for which windows?
# 2. A 1 × 1 convolution needs no columns. Let `conv2d_im2col` find out, and measure.
# 3. Fuse bias and GELU into the convolution: block by block, while the block is in the cache.
# 4. Find the tile size at which `tiled_matmul` comes closest to one call. What does your machine's cache say to that?
# 5. Store the weights in float16 too, without master weights, and train. At which rate does learning stop?
#
# **References**
#
# - S. Williams, A. Waterman and D. Patterson, Roofline, CACM 52(4), 2009: the picture of part 1.
# - J.-W. Hong and H. T. Kung, I/O complexity: the red-blue pebble game, STOC 1981: no order of a matrix product moves
#   less than n³/√M numbers, by more than a constant.
# - K. Goto and R. van de Geijn, Anatomy of High-Performance Matrix Multiplication, ACM TOMS 34(3), 2008: tiles for each
#   cache.
# - K. Chellapilla, S. Puri and P. Simard, High Performance Convolutional Neural Networks for Document Processing, 2006:
#   a convolution as a product.
# - D. Hendrycks and K. Gimpel, Gaussian Error Linear Units, arXiv:1606.08415.
# - P. Micikevicius et al., Mixed Precision Training, arXiv:1710.03740: master weights, sums in float32, loss scaling.
#
# **What comes next.** You have timed things in turns, taken medians and doubted them. Module 19 makes that a method:
# how many runs it takes to say that one thing is quicker than another.
