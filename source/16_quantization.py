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
#     number: 16
#     name: quantization
#     title: Quantization
#     tier: Optimization
#     difficulty: 3
#     time: 5-6 hours
#     prerequisites: [Profiling, Memoization]
#     export: optimization.quantization
#     summary: Store weights as 8-bit integers, multiply in integers, and measure what that saves and costs.
# ---

# %% [markdown]
# # Module 16: Quantization
#
# A trained model is a heap of 32-bit floating-point numbers. In this module you replace
# them by 8-bit integers, multiply with integers, and measure three things: how many bytes
# that saves, how much accuracy it costs, and what it does to the time of a call here.
#
# At stake are two models that read handwritten digits. In float32 neither fits on the chip that it is
# meant for. With your INT8 code both do, and one of them then misreads digits that it could read.
# You find out why, and what it takes to mend it.
#
# The path is the same as in the other optimization modules:
#
# | step | question | where |
# |---|---|---|
# | Profile | how much memory do FP32 models take as they grow? | part 1 |
# | Discover | how many distinct values does a weight really need? | part 1 |
# | Implement | how do integers stand for real numbers, and how do you multiply them? | parts 2 to 4 |
# | Validate | the measurements of part 1 again, on your own quantized models | part 5 |
#
# **When you are done you can**
#
# 1. derive scale and zero point of an affine INT8 code, and say why zero must be exact;
# 2. bound the rounding error, recognise saturation, and say when one scale per column is worth its bytes;
# 3. multiply INT8 matrices with INT32 accumulation and correct for the zero points;
# 4. calibrate a layer with sample inputs and say what a bad calibration does;
# 5. count bytes honestly, and tell apart what quantization improves and what it does not.
#
# **What you need.** `Tensor` (module 01), `ReLU` (02), `Linear` and `Sequential` (03) and the `Profiler` (14). The two
# models are trained ahead of your work, on the digits (08), with a loss (04) and `SGD` (06); after that gradients play no
# part. The notebook runs on Python 3.11 or newer with numpy 2; the cells that draw, and nothing else, need matplotlib.
#
# **Connections**
#
# | module | gives this one | module | takes from it |
# |---|---|---|---|
# | 03 Layers | `Linear`, whose weights you store in 8 bits | 17 Compression | the other way to fewer bytes: fewer weights |
# | 08 DataLoader | the digits | 18 Acceleration | integer products, and what makes a product quick |
# | 14 Profiling | parameters and bytes, counted | 20 Capstone | a small model that still has to be right |
#
# **Where the code goes.** Cells that begin with `#| export` become
# `tinytorch.optimization.quantization` when the module is *exported*, that is, written to a file.
#
# **How it is graded.** 80 points by tests, 20 for two written answers. A test cell has two halves:
# above the line `### JUDGE` your code is run, below it the results are judged, elsewhere. When it is
# graded, further checks run on other inputs. Each test judges one exercise and brings the right answers of the
# others along, so that a mistake is counted once. Cells that begin with `# Warm-up` or `# Validate` are
# never graded: run them, change them, break them.
#
# A unit, once and for all: 1 MB is 2**20 bytes, as in module 14.

# %% nbgrader={"grade": false, "grade_id": "setup", "locked": true, "schema_version": 3, "solution": false, "task": false}
#| export
from typing import Any

import numpy as np

from tinytorch.core.layers import Dropout, Linear
from tinytorch.core.tensor import Tensor

INT8_MIN, INT8_MAX = -128, 127
BYTES_PER_MB = 2**20
OVERHEAD_BYTES = 16  # of a quantized layer: two scales as float32, two zero points as int32

# %% nbgrader={"grade": false, "grade_id": "workbench", "locked": true, "schema_version": 3, "solution": false, "task": false}
import copy
import time

from tinytorch.core.activations import ReLU
from tinytorch.core.layers import Sequential
from tinytorch.core.losses import CrossEntropyLoss
from tinytorch.core.optimizers import SGD
from tinytorch.data.digits import load_digits
from tinytorch.notebook import pyplot, refusal, stand_ins
from tinytorch.profiling.profiler import Profiler


def linear_from(weight, bias=None):
    """A float Linear layer that holds exactly these numbers: weight (in, out), bias (out,) or None."""
    layer = Linear(weight.shape[0], weight.shape[1], bias=bias is not None)
    layer.weight.data = weight
    if bias is not None:
        layer.bias.data = bias
    return layer


def array_in(tensor):
    """The array in a Tensor; None for whatever is no Tensor, so that a test can say so."""
    return tensor.data if isinstance(tensor, Tensor) else None

# %% [markdown]
# ## 1. Warm-up: what is at stake, what it weighs, and what its numbers need
#
# ### 1.1 Two models that read digits
#
# Both have 64 pixels in, 32 hidden units and 10 classes, and are trained here, on the digits of module 08, in less than a second.
# The *plain* one reads pixels as they are. The *standardised* one was trained on pixels from which
# the mean had been taken, divided by their spread; that often helps training. For use, this step is *folded* into
# the first layer: its weights are divided by the spread, its bias takes the mean. The folded model reads
# plain pixels, and gives the same answers with no step more.
#
# **Predict before you run.** Which of the two reads better? By how much may the answers differ before and after folding?

# %% tags=["warmup"]
# Warm-up: train two readers, and fold one.
train_images, train_labels = load_digits("train")
test_images, test_labels = load_digits("test")
pixels, labels = train_images.data.reshape(-1, 64), train_labels.data
new_pixels, new_labels = test_images.data.reshape(-1, 64), test_labels.data


def trained_reader(pixels, labels, lr, epochs=12, batch=32):
    """A reader 64 -> 32 -> 10, trained as in modules 05 to 07."""
    np.random.seed(16)
    model = Sequential(Linear(64, 32), ReLU(), Linear(32, 10))
    optimizer, loss_of, rng = SGD(model.parameters(), lr=lr, momentum=0.9), CrossEntropyLoss(), np.random.default_rng(16)
    for _ in range(epochs):
        order = rng.permutation(len(labels))
        for start in range(0, len(order), batch):
            chosen = order[start : start + batch]
            optimizer.zero_grad()
            loss_of(model(Tensor(pixels[chosen])), Tensor(labels[chosen])).backward()
            optimizer.step()
    return model


def folded(model, mean, spread):
    """The same model for plain pixels: its first layer takes the mean and divides by the spread."""
    first = model.layers[0]
    weight, bias = first.weight.data, first.bias.data
    return Sequential(
        linear_from((weight / spread[:, None]).astype(np.float32), (bias - (mean / spread) @ weight).astype(np.float32)),
        *model.layers[1:],
    )


def outputs_of(model, inputs=new_pixels):
    return model.forward(Tensor(inputs)).data


def accuracy(model):
    """Share of the 359 test digits that a model reads rightly."""
    return float(np.mean(outputs_of(model).argmax(axis=1) == new_labels))


def moved(outputs, exact):
    """How far outputs are from those of the float model, in relation to their size."""
    return float(np.linalg.norm(outputs - exact) / np.linalg.norm(exact))


mean, spread = pixels.mean(axis=0), pixels.std(axis=0) + 0.001  # the 0.001: some pixels are always paper
unfolded = trained_reader((pixels - mean) / spread, labels, lr=0.05)
READERS = {"plain": trained_reader(pixels, labels, lr=0.2), "standardised": folded(unfolded, mean, spread)}
for name, reader in READERS.items():
    print(f"{name:<13} reads {accuracy(reader):.1%} of the test digits")
difference = moved(outputs_of(READERS["standardised"]), outputs_of(unfolded, (new_pixels - mean) / spread))
print(f"folding moved the outputs by {difference:.4%}")

# %% tags=["warmup"] jupyter={"source_hidden": true}
# Warm-up: some of the digits.
plt = pyplot()
if plt:
    guesses = outputs_of(READERS["plain"]).argmax(axis=1)
    wrong = np.flatnonzero(guesses != new_labels)
    shown = np.concatenate([np.arange(8), wrong[:8]])
    figure, axes = plt.subplots(2, 8, figsize=(9, 2.9))
    for axis, which in zip(axes.ravel(), shown):
        axis.imshow(new_pixels[which].reshape(8, 8), cmap="gray_r")
        axis.set_title(f"{new_labels[which]}: read as {guesses[which]}", fontsize=8)
        axis.axis("off")
    for axis in axes.ravel()[len(shown) :]:
        axis.axis("off")
    figure.suptitle("first row: the first eight; second row: digits that the plain reader misreads", fontsize=9)
    figure.tight_layout()
    plt.show()

# %% [markdown]
# ### 1.2 How memory grows with width
#
# The next cell builds models of two square layers, from narrow to wide, and asks the profiler
# of module 14 what their parameters occupy.
#
# **Predict before you run.** The width doubles from row to row. By what factor does the memory grow?

# %% tags=["warmup"]
# Warm-up: count, and fit how it grows.
WIDTHS = [64, 128, 256, 512, 1024, 2048]


def two_layer_model(width):
    """width -> width -> width, with a ReLU between."""
    rng = np.random.default_rng(width)
    shape = (width, width)
    first, second = (rng.standard_normal(shape, dtype=np.float32) / np.float32(width**0.5) for _ in range(2))
    zeros = np.zeros(width, dtype=np.float32)
    return Sequential(linear_from(first, zeros), ReLU(), linear_from(second, zeros.copy()))


def measure_widths(build, widths=WIDTHS):
    """Parameters and parameter bytes of build(width) for each width, as the profiler sees them."""
    profiler = Profiler()
    rows = []
    for width in widths:
        model = build(width)
        memory = profiler.measure_memory(model, (1, width))
        rows.append({
            "width": width,
            "parameters": profiler.count_parameters(model),
            "bytes": memory["parameter_memory_mb"] * BYTES_PER_MB,
        })
    return rows


def fitted_bytes_per_parameter(rows):
    """Slope of the straight line through (parameters, bytes), and the worst miss of that line."""
    count = np.array([row["parameters"] for row in rows], dtype=np.float64)
    size = np.array([row["bytes"] for row in rows], dtype=np.float64)
    slope, start = np.polyfit(count, size, 1)
    miss = np.max(np.abs(slope * count + start - size) / size)
    return slope, miss


fp32_rows = measure_widths(two_layer_model)
print(f"{'width':>6} {'parameters':>12} {'MB':>9}")
for row in fp32_rows:
    print(f"{row['width']:>6} {row['parameters']:>12,} {row['bytes'] / BYTES_PER_MB:>9.3f}")

slope, miss = fitted_bytes_per_parameter(fp32_rows)
growth = np.polyfit(np.log([r["width"] for r in fp32_rows]), np.log([r["bytes"] for r in fp32_rows]), 1)[0]
print(f"\nfit: {slope:.3f} bytes per parameter (the line misses no point by more than {miss:.1%})")
print(f"fit: memory grows like width to the power {growth:.2f}")

# %% [markdown]
# Now put the figures beside what devices offer. The budgets below are **an assumption of this
# notebook**: round numbers for the part of a device's memory that one model may take. Change
# them to your own device and run the cell again; the conclusions are computed. The last lines are for the two readers.

# %% tags=["warmup"]
# Warm-up: what fits where?
BUDGETS_MB = {"sensor chip": 4 / 1024, "microcontroller": 0.25, "earbud or watch": 3.0, "phone, one app": 16.0}


def first_width_over(rows, budget_mb):
    """The smallest measured width whose parameters exceed the budget, or None."""
    too_big = [row["width"] for row in rows if row["bytes"] > budget_mb * BYTES_PER_MB]
    return min(too_big) if too_big else None


for device, budget in BUDGETS_MB.items():
    width = first_width_over(fp32_rows, budget)
    limit = round(budget * BYTES_PER_MB / slope)
    verdict = f"broken from width {width} on" if width else "not broken by any of these widths"
    print(f"{device:<16} {budget:>6.3g} MB   room for about {limit:>10,} FP32 parameters   {verdict}")


def reader_bytes(model):
    return Profiler().measure_memory(model, (1, 64))["parameter_memory_mb"] * BYTES_PER_MB


for name, reader in READERS.items():
    fitting = [device for device, budget in BUDGETS_MB.items() if reader_bytes(reader) <= budget * BYTES_PER_MB]
    print(f"{name} reader: {reader_bytes(reader):,.0f} bytes; fits: {', '.join(fitting) or 'nowhere'}")

# %% tags=["warmup"] jupyter={"source_hidden": true}
# Warm-up: the picture.
def plot_widths(series):
    """Parameter memory against width, with the budgets as horizontal lines. series: label -> rows."""
    plt = pyplot()
    if not plt:
        return
    figure, axis = plt.subplots(figsize=(6.5, 3.8))
    for label, rows in series.items():
        axis.loglog([r["width"] for r in rows], [r["bytes"] / BYTES_PER_MB for r in rows], "o-", label=label)
    for device, budget in BUDGETS_MB.items():
        axis.axhline(budget, color="0.6", linewidth=1, linestyle="--")
        axis.text(WIDTHS[0], budget * 1.15, device, color="0.35", fontsize=8)
    axis.set_xticks(WIDTHS, [str(width) for width in WIDTHS])
    axis.minorticks_off()
    axis.set_xlabel("width of both layers")
    axis.set_ylabel("parameters, MB")
    axis.legend(loc="lower right")
    figure.tight_layout()
    plt.show()


plot_widths({"FP32": fp32_rows})

# %% [markdown]
# The line through the measurements says what a parameter costs. There are two ways to get
# under a budget: fewer parameters (module 17) or fewer bytes per parameter (this module).
#
# ### 1.3 How many distinct values does a weight need?
#
# 32 bits can tell billions of values apart. The next cell lets every weight of one layer take
# only $2^b$ evenly spaced values, $b$ bits each, and measures how far the layer's outputs move.
#
# **Predict before you run.** One bit more doubles the number of values. What does it do to the error? And how many bits
# move the outputs by less than 2 %?

# %% tags=["warmup"]
# Warm-up: fewer and fewer values.
rng = np.random.default_rng(16)
weights = rng.standard_normal((512, 512)).astype(np.float32) / np.sqrt(512).astype(np.float32)
inputs = rng.standard_normal((64, 512)).astype(np.float32)
exact_outputs = inputs @ weights


def round_to_levels(values, bits):
    """Move every value to the nearest of 2**bits evenly spaced levels between the smallest and the largest."""
    low, high = values.min(), values.max()
    step = (high - low) / (2**bits - 1)
    return low + step * np.rint((values - low) / step)


level_error = {}
for bits in range(2, 13):
    inexact = inputs @ round_to_levels(weights, bits)
    level_error[bits] = float(np.linalg.norm(inexact - exact_outputs) / np.linalg.norm(exact_outputs))

print(f"{'bits':>5} {'levels':>7} {'change of the outputs':>23}")
for bits, error in level_error.items():
    print(f"{bits:>5} {2**bits:>7} {error:>22.3%}")

ratios = [level_error[b] / level_error[b + 1] for b in range(4, 12)]
print(f"\nfrom 4 bits on, each further bit divides the error by {np.mean(ratios):.2f} on average")
for tolerance in (0.10, 0.02, 0.005):
    enough = min(bits for bits, error in level_error.items() if error < tolerance)
    print(f"to move the outputs by less than {tolerance:.1%}, {enough} bits are enough here")

# %% tags=["warmup"] jupyter={"source_hidden": true}
# Warm-up: the picture.
plt = pyplot()
if plt:
    figure, (left, right) = plt.subplots(1, 2, figsize=(9, 3.4))
    left.hist(weights.ravel(), bins=120, color="0.45")
    left.set_xlabel("weight")
    left.set_ylabel("how many")
    central = np.mean(np.abs(weights) < 2 * weights.std())
    left.set_title(f"{weights.size:,} weights, {central:.0%} within two deviations", fontsize=10)
    right.semilogy(list(level_error), list(level_error.values()), "o-")
    right.axvline(8, color="0.6", linestyle="--", linewidth=1)
    right.set_xlabel("bits per weight")
    right.set_ylabel("relative change of the outputs")
    right.set_title("error against bits", fontsize=10)
    figure.tight_layout()
    plt.show()

# %% [markdown]
# Read the table before you go on: which row would you choose, and what does a row more or less
# cost? Eight bits have one practical advantage over seven or nine: they are a byte, which memory
# can address and which numpy and processors can multiply. This module uses INT8, and part 5
# measures whether that was good enough for the readers.
#
# ## 2. Affine INT8: integers that stand for real numbers
#
# ### 2.1 Scale and zero point
#
# An INT8 code $q$ is one of the 256 integers from $-128$ to $127$. We let it stand for the real
# number
#
# $$x \approx \text{scale}\cdot(q - \text{zero\_point})$$
#
# The **scale** (a positive real number) is the distance between neighbouring values. The
# **zero point** (an integer from $-128$ to $127$) is the code that stands for $0$.
#
# Both follow from the range $[low, high]$ that the codes shall cover. The lowest code stands
# for the lowest value and the highest code for the highest:
#
# $$low = \text{scale}\,(-128 - \text{zero\_point}),\qquad high = \text{scale}\,(127 - \text{zero\_point})$$
#
# Subtract the first from the second, then solve the first for the zero point:
#
# $$\text{scale} = \frac{high - low}{255},\qquad \text{zero\_point} = \operatorname{round}\!\left(-128 - \frac{low}{\text{scale}}\right)$$
#
# The zero point has to be rounded, because it must be a code. So the covered range may shift
# by up to half a step, and **0 is represented exactly**: $\text{scale}\cdot(\text{zero\_point}-\text{zero\_point}) = 0$.
#
# **Why zero must be exact.** A ReLU turns many activations into exact zeros; padding and
# pruned weights are zeros too. If zero came back as a small number instead, each of them would
# add the same error with the same sign, and in a long sum those errors would not cancel.
#
# **Why the range must contain zero.** For data between 1 and 6 the formula asks for the zero
# point $-179$, which is no INT8 code. Clipping it to $-128$ would silently move all values: the
# upper part of the range could no longer be written. So the range is widened first, to
# $[\min(low, 0), \max(high, 0)]$. That costs resolution, and nothing else.
#
# **Range of width zero.** After widening, that happens only if all values are 0. Then any scale
# will do; take scale 1.0 and zero point 0. A range is never "too small" otherwise: weights around
# $10^{-9}$ deserve their 256 values too.
#
# The picture shows the idea with 3 bits (8 codes) for data between $-1$ and $2$, once with the
# zero point rounded, once without rounding. **Predict before you run:** what becomes of a sum of a thousand zeros?

# %% tags=["warmup"] jupyter={"source_hidden": true}
# Warm-up: eight codes, with and without a rounded zero point.
low, high, levels = -1.0, 2.0, 8
step = (high - low) / (levels - 1)
rounded_zero = np.rint(-low / step)
rows = {
    "zero point rounded": step * (np.arange(levels) - rounded_zero),
    "not rounded": low + step * np.arange(levels),
}
plt = pyplot()
if plt:
    figure, axis = plt.subplots(figsize=(8, 2.2))
    for height, (label, values) in enumerate(rows.items()):
        axis.plot([low - 0.4, high + 0.4], [height, height], color="0.8", zorder=0)
        axis.scatter(values, [height] * levels, s=60, color=["tab:red" if abs(v) < 1e-12 else "tab:blue" for v in values])
        for code, value in enumerate(values):
            axis.annotate(f"{code}", (value, height), xytext=(0, 9), textcoords="offset points", ha="center", fontsize=8)
    axis.axvline(0, color="tab:red", linewidth=1)
    axis.axvspan(low, high, color="tab:green", alpha=0.08)
    axis.set_yticks([0, 1], list(rows))
    axis.set_ylim(-0.5, 1.6)
    axis.set_xlabel("real value; shaded: the range of the data; small numbers: the codes")
    figure.tight_layout()
    plt.show()
for label, values in rows.items():
    nearest = values[np.argmin(np.abs(values))]
    print(f"{label:<20} zero comes back as {nearest:+.4f}, a sum of a thousand zeros as {1000 * nearest:+.1f}")

# %% [markdown]
# **The scheme of this module, and the contract that the tests follow**: *asymmetric affine INT8,
# one scale and one zero point per tensor, codes from −128 to 127*. Two other schemes round-trip
# too and are used elsewhere, but code written for ours cannot read them:
#
# - *symmetric INT8* (zero point always 0, scale $= \max|x|/127$) wastes half of its codes on
#   data that is never negative, such as the output of a ReLU;
# - *UINT8 with an offset* (codes 0 to 255) needs an unsigned product and other correction terms.
#
# ### Exercise 1: `affine_parameters` (8 points, about 20 minutes)

# %% nbgrader={"grade": false, "grade_id": "affine_parameters", "locked": false, "schema_version": 3, "solution": true, "task": false}
#| export
def affine_parameters(low: float, high: float) -> tuple[float, int]:
    """Scale and zero point of the INT8 code that covers the range from low to high, and zero.

    Args:
        low, high: the smallest and the largest value to represent (numbers, low <= high).

    Returns:
        (scale, zero_point): scale a positive float; zero_point an int from -128 to 127.
        If the widened range has width zero: (1.0, 0).

    Example:
        >>> scale, zero_point = affine_parameters(-1.0, 2.0)
        >>> round(scale * 255, 6), zero_point      # the zero point is -128 + 85
        (3.0, -43)

    Hints:
        1. Do the example by hand, then the range from 1 to 6. Which step above does the second one need?
        2. Which single width would you have to divide by, and must not?
        3. What arrives may be a numpy float32. In which type do you want to calculate?
    """
    ### BEGIN SOLUTION
    low, high = min(float(low), 0.0), max(float(high), 0.0)
    if low == high:
        return 1.0, 0
    scale = (high - low) / (INT8_MAX - INT8_MIN)
    zero_point = round(INT8_MIN - low / scale)
    return scale, zero_point
    ### END SOLUTION

# %% tags=["raises-exception"] nbgrader={"grade": true, "grade_id": "test_affine_parameters", "locked": true, "points": 8, "schema_version": 3, "solution": false, "task": false}
scale, zero_point = affine_parameters(-1.0, 2.0)
positive_scale, positive_zero_point = affine_parameters(1.0, 6.0)
### JUDGE
assert isinstance(scale, (float, np.floating)), f"the scale must be one float, got {type(scale).__name__}"
assert isinstance(zero_point, (int, np.integer)), (
    f"the zero point must be an int, got {type(zero_point).__name__}"
)
assert abs(scale - 3 / 255) < 1e-8, f"for -1..2 the scale is 3/255 = 0.0117647, got {scale}"
assert zero_point == -43, f"for -1..2 the zero point is -128 + 85 = -43, got {zero_point}"
assert abs(positive_scale - 6 / 255) < 1e-8, (
    f"for 1..6 the range is widened to 0..6, so the scale is 6/255, got {positive_scale}"
)
assert positive_zero_point == -128, (
    f"for 0..6 the lowest code stands for zero: -128, got {positive_zero_point}"
)
### BEGIN HIDDEN TESTS
ranges = [
    (-3.0, 5.0), (-0.37, 1.91), (-2.2, 0.31), (-7.0, 0.6), (2.5, 2.5), (1000.0, 1001.0), (-6.0, -1.5),
    (-4.0, -4.0), (0.0, 4.0), (-4.0, 0.0), (-1.0, 1.0), (-2e-9, 5e-9), (-3e4, 9e4), (-0.5, -0.25), (0.25, 0.75),
]
answers = [affine_parameters(low, high) for low, high in ranges]
zero_answer = affine_parameters(0.0, 0.0)
### JUDGE
for (low, high), (scale, zero_point) in zip(ranges, answers, strict=True):
    assert isinstance(scale, (float, np.floating)) and np.isfinite(scale) and scale > 0, (
        "the scale must be one positive, finite float for every range"
    )
    assert isinstance(zero_point, (int, np.integer)) and not isinstance(zero_point, bool), (
        "the zero point must be an int for every range"
    )
    assert -128 <= zero_point <= 127, (
        "the zero point must itself be an INT8 code: widen the range so that it contains zero"
    )
    wide_low, wide_high = min(low, 0.0), max(high, 0.0)
    want_scale = (wide_high - wide_low) / 255
    assert abs(float(scale) - want_scale) <= 1e-6 * want_scale, (
        "the scale must be (high - low) / 255 over a range that contains zero, however small or large "
        "the range is"
    )
    assert abs(zero_point - (-128 - wide_low / want_scale)) <= 0.5 + 1e-4, (
        "the zero point must be -128 - low / scale, rounded to the nearest integer"
    )
scale, zero_point = zero_answer
assert isinstance(scale, (float, np.floating)) and scale == 1.0, (
    "if all values are zero, the scale must be 1.0"
)
assert isinstance(zero_point, (int, np.integer)) and zero_point == 0, (
    "if all values are zero, the zero point must be 0"
)
### END HIDDEN TESTS

# %% [markdown]
# ### 2.2 From values to codes: rounding and saturation
#
# Solve $x = \text{scale}\,(q - \text{zero\_point})$ for $q$ and take the nearest code:
#
# $$q = \operatorname{clip}\!\left(\operatorname{round}\!\left(\frac{x}{\text{scale}}\right) + \text{zero\_point},\ -128,\ 127\right)$$
#
# - **Rounding** moves a value by at most half a step, so inside the range the error is at most
#   scale/2. Truncation (what `astype` does to a float) can move it by almost a whole step,
#   always towards zero.
# - **Saturation.** A value outside the range gets the nearest end of it. Without `clip`, the
#   conversion to INT8 wraps around: a value just above the highest comes out as the *lowest*.
#   The next cell shows it.

# %% tags=["validate"]
# Validate: what a conversion does to what does not fit.
steps = np.array([126.0, 127.0, 128.0, 129.0])
print("codes wanted      ", steps)
print("converted directly", steps.astype(np.int16).astype(np.int8))
print("clipped first     ", np.clip(steps, -128, 127).astype(np.int8))

# %% [markdown]
# ### Exercise 2: `to_codes` (8 points, about 20 minutes)
#
# The same function will serve weights and inputs. It takes and returns plain numpy arrays.

# %% nbgrader={"grade": false, "grade_id": "to_codes", "locked": false, "schema_version": 3, "solution": true, "task": false}
#| export
def to_codes(values: np.ndarray, scale: float, zero_point: int) -> np.ndarray:
    """The INT8 codes of real values.

    Args:
        values: numpy array of floats, any shape. It is not changed.
        scale, zero_point: as `affine_parameters` returns them.

    Returns:
        numpy array of dtype int8 and the same shape. Values outside the range saturate.

    Example:
        >>> to_codes(np.array([-1.0, 0.0, 2.0, 99.0]), 3 / 255, -43)
        array([-128,  -43,  127,  127], dtype=int8)

    Hints:
        1. Four things happen to a value. In the formula above, which is done first, which last?
        2. If all codes are right but those of 99 and -99: what has happened before the limits were looked at?
    """
    ### BEGIN SOLUTION
    steps = np.rint(np.asarray(values, dtype=np.float64) / scale) + zero_point
    codes: np.ndarray = np.clip(steps, INT8_MIN, INT8_MAX).astype(np.int8)
    return codes
    ### END SOLUTION

# %% tags=["raises-exception"] nbgrader={"grade": true, "grade_id": "test_to_codes", "locked": true, "points": 8, "schema_version": 3, "solution": false, "task": false}
values = np.array([-1.0, 0.0, 0.25, 2.0, 99.0, -99.0], dtype=np.float32)
codes = to_codes(values.copy(), 3 / 255, -43)
### JUDGE
assert isinstance(codes, np.ndarray), f"to_codes must return a numpy array, got {type(codes).__name__}"
assert codes.dtype == np.int8, f"codes must be int8, got {codes.dtype}"
assert codes.shape == values.shape, (
    f"codes must have the shape of the values, {values.shape}, got {codes.shape}"
)
assert codes[:4].tolist() == [-128, -43, -22, 127], (
    "with scale 3/255 and zero point -43 the codes of -1, 0, 0.25, 2 are [-128, -43, -22, 127] (0.25 "
    f"is 21.25 steps above zero), got {codes[:4].tolist()}"
)
assert codes[4:].tolist() == [127, -128], (
    f"99 and -99 lie outside the range and must saturate to 127 and -128, got {codes[4:].tolist()}"
)
### BEGIN HIDDEN TESTS
rng = np.random.default_rng(1602)
inside = rng.uniform(-4.4, 3.3, size=(7, 31)).astype(np.float32)
outside = (rng.uniform(7.2, 1800.0, size=40) * rng.choice([-1.0, 1.0], size=40)).astype(np.float32)
inside_scale, inside_zero_point = 0.031, 17
beyond = np.arange(1, 9) * 0.5 * inside_scale  # the nearest misses: from half a step to four beyond either end
outside = np.concatenate([outside, -145 * inside_scale - beyond, 110 * inside_scale + beyond])
handed = inside.copy()
inside_codes = to_codes(handed, inside_scale, inside_zero_point)
again_codes = to_codes(handed, inside_scale, inside_zero_point)
outside_codes = to_codes(outside.copy(), inside_scale, inside_zero_point)
fine_codes = to_codes(np.array([[0.0, 3.0e-9], [-2.0e-9, 5.0e-9]]), 7.0e-9 / 255, -55)
### JUDGE
assert isinstance(inside_codes, np.ndarray) and inside_codes.dtype == np.int8, (
    "codes must be a numpy array of dtype int8"
)
assert inside_codes.shape == inside.shape, (
    "codes must keep the shape of the values, also with two dimensions"
)
exact = np.clip(inside.astype(np.float64) / inside_scale + inside_zero_point, -128, 127)
miss = np.abs(inside_codes.astype(np.float64) - exact)
assert miss.max() <= 0.5 + 1e-3, (
    "inside the range every code must be the nearest one: at most half a step from value / scale + "
    "zero_point"
)
assert again_codes.shape == inside.shape and np.abs(again_codes.astype(np.float64) - exact).max() <= 0.5 + 1e-3, (
    "to_codes must not change the array that it is given: a second call on it gave other codes"
)
assert outside_codes.dtype == np.int8 and outside_codes.shape == outside.shape, (
    "codes outside the range must be int8 too, one per value"
)
assert np.array_equal(outside_codes, np.where(outside > 0, 127, -128)), (
    "values outside the range must saturate: 127 above it, -128 below it, never wrap around"
)
assert fine_codes.shape == (2, 2) and fine_codes.dtype == np.int8, (
    "codes must keep shape and be int8 for tiny values too"
)
fine_exact = np.clip(np.array([[0.0, 3.0e-9], [-2.0e-9, 5.0e-9]]) / (7.0e-9 / 255) - 55, -128, 127)
assert np.abs(fine_codes.astype(np.float64) - fine_exact).max() <= 0.5 + 1e-3, (
    "a tiny scale must work like any other"
)
### END HIDDEN TESTS

# %% [markdown]
# From here on exercises build on each other. So that a mistake is counted once, their tests bring the answers of the earlier
# ones along: `AnswerKey` holds right answers for the tests' own numbers, and `stand_ins` puts it in the place of your
# functions while a test runs. You need not read the cell.

# %% jupyter={"source_hidden": true} nbgrader={"grade": false, "grade_id": "answer_key", "locked": true, "schema_version": 3, "solution": false, "task": false}
class AnswerKey:
    """Stands in for exercises 1, 2, 3 and 6: knows the right answers for the numbers of a test, and no others."""

    def __init__(self):
        self.ranges, self.codes, self.tensors, self.products = [], {}, [], {}

    def learn_range(self, low, high, scale, zero_point):
        self.ranges.append((float(low), float(high), scale, zero_point))

    def learn_codes(self, values, codes, scale, zero_point):
        table = self.codes.setdefault((f"{scale:.5e}", int(zero_point)), {})
        table.update(zip(np.ravel(values).tolist(), np.ravel(codes).tolist()))

    def learn_tensor(self, values, codes, scale, zero_point):
        self.tensors.append((np.ravel(values), np.ravel(codes).astype(np.int8), scale, zero_point))
        self.learn_range(np.min(values), np.max(values), scale, zero_point)
        self.learn_codes(values, codes, scale, zero_point)

    def learn_product(self, x_codes, x_zero_point, w_codes, w_zero_point, sums):
        key = (w_codes.astype(np.int8).tobytes(), int(x_zero_point), int(w_zero_point))
        rows = x_codes.astype(np.int8).reshape(-1, len(w_codes))
        table = self.products.setdefault(key, {})
        table.update(zip([row.tobytes() for row in rows], sums.astype(np.int32).reshape(len(rows), -1)))

    def affine_parameters(self, low, high):
        low, high = np.asarray(low).item(), np.asarray(high).item()
        for lowest, highest, scale, zero_point in self.ranges:
            near = 1e-6 * max(abs(lowest), abs(highest))
            if abs(low - lowest) <= near and abs(high - highest) <= near:
                return scale, zero_point
        return 1.0, 0

    def to_codes(self, values, scale, zero_point):
        table = self.codes.get((f"{scale:.5e}", int(zero_point)), {})
        values = np.asarray(values)
        answers = [table.get(value, 0) for value in values.ravel().tolist()]
        return np.array(answers, dtype=np.int8).reshape(values.shape)

    def quantize_int8(self, tensor):
        for values, codes, scale, zero_point in self.tensors:
            if np.array_equal(values, np.ravel(tensor.data)):
                return Tensor(codes.reshape(tensor.shape)), scale, zero_point
        return Tensor(np.zeros(tensor.shape, dtype=np.int8)), 1.0, 0

    def int8_matmul(self, x_codes, x_zero_point, w_codes, w_zero_point):
        table = self.products.get((np.asarray(w_codes, dtype=np.int8).tobytes(), int(x_zero_point), int(w_zero_point)), {})
        rows = np.asarray(x_codes, dtype=np.int8).reshape(-1, np.shape(w_codes)[0])
        nothing = np.zeros(np.shape(w_codes)[1], dtype=np.int32)
        answers = np.array([table.get(row.tobytes(), nothing) for row in rows], dtype=np.int32)
        return answers.reshape(*np.shape(x_codes)[:-1], -1)

    def parts(self, *names):
        every = (self.affine_parameters, self.to_codes, self.quantize_int8, self.int8_matmul)
        return {method.__name__: method for method in every if method.__name__ in names}

# %% [markdown]
# ### Exercise 3: `quantize_int8` (8 points, about 10 minutes)
#
# A tensor's own smallest and largest value give its range. This is right for weights: they are
# known and do not change any more. Inputs are another matter; part 3 comes back to them.

# %% nbgrader={"grade": false, "grade_id": "quantize_int8", "locked": false, "schema_version": 3, "solution": true, "task": false}
#| export
def quantize_int8(tensor: Tensor) -> tuple[Tensor, float, int]:
    """Quantize a tensor to INT8 over its own range (widened to contain zero).

    Args:
        tensor: Tensor of floats, any shape, at least one element.

    Returns:
        (q_tensor, scale, zero_point): q_tensor is a Tensor whose `.data` is int8, of the same shape;
        scale a float and zero_point an int, one of each for the whole tensor.

    Example:
        >>> codes, scale, zero_point = quantize_int8(Tensor([-1.0, 0.0, 2.0]))
        >>> codes.data, round(scale * 255, 6), zero_point
        (array([-128,  -43,  127], dtype=int8), 3.0, -43)

    Hints:
        1. Which two numbers of the tensor does exercise 1 ask for?
        2. Exercise 2 works on arrays. Where does the Tensor have its array, and where must one come out again?
    """
    ### BEGIN SOLUTION
    scale, zero_point = affine_parameters(tensor.data.min(), tensor.data.max())
    return Tensor(to_codes(tensor.data, scale, zero_point)), scale, zero_point
    ### END SOLUTION

# %% tags=["raises-exception"] nbgrader={"grade": true, "grade_id": "test_quantize_int8", "locked": true, "points": 8, "schema_version": 3, "solution": false, "task": false}
x = np.array([-3.0, -1.5, 0.0, 0.01, 2.7, 5.0], dtype=np.float32)
key = AnswerKey()
key.learn_range(-3.0, 5.0, 8 / 255, -32)
key.learn_codes(x.copy(), np.array([-128, -80, -32, -32, 54, 127]), 8 / 255, -32)
with stand_ins(**key.parts("affine_parameters", "to_codes")):
    q, scale, zero_point = quantize_int8(Tensor(x.copy()))
codes = array_in(q)
### JUDGE
assert codes is not None, "the codes must come in a Tensor"
assert codes.dtype == np.int8, f"the codes must be int8, got {codes.dtype}"
assert codes.shape == x.shape, f"the codes must have the shape of the tensor, {x.shape}, got {codes.shape}"
assert np.ndim(scale) == 0 and np.ndim(zero_point) == 0, (
    "there is one scale and one zero point for the whole tensor"
)
back = scale * (codes.astype(np.float64) - zero_point)
worst = np.abs(back - x).max()
assert worst <= 0.5 * (8 / 255) * 1.001, (
    f"no value may move by more than half a step (0.0157), but one moved by {worst:.4f}"
)
### BEGIN HIDDEN TESTS
def coded(values):
    """What is right for these values: codes, scale, zero point."""
    low, high = min(float(values.min()), 0.0), max(float(values.max()), 0.0)
    scale, zero_point = ((high - low) / 255, round(-128 - 255 * low / (high - low))) if high > low else (1.0, 0)
    codes = np.clip(np.rint(values.astype(np.float64) / scale) + zero_point, -128, 127)
    return codes.astype(np.int8), scale, zero_point


def answers_to(*arrays):
    """Stand-ins that know these arrays, and their ranges as they are and with zero."""
    key = AnswerKey()
    for values in arrays:
        codes, scale, zero_point = coded(values)
        key.learn_codes(values.copy(), codes, scale, zero_point)
        key.learn_range(values.min(), values.max(), scale, zero_point)
        key.learn_range(min(values.min(), 0.0), max(values.max(), 0.0), scale, zero_point)
    return key


rng = np.random.default_rng(1603)
mixed = rng.normal(0.4, 1.3, size=(6, 5, 3)).astype(np.float32)
columns = (rng.uniform(-1, 1, size=(40, 4)) * np.array([0.01, 0.3, 2.0, 50.0])).astype(np.float32)
positive = rng.uniform(1.0, 6.0, size=50).astype(np.float32)
negative = -rng.uniform(20.0, 21.0, size=(5, 10)).astype(np.float32)
symmetric = np.linspace(-1.0, 1.0, 41, dtype=np.float32)
constant = np.full((3, 4), 1.5, dtype=np.float32)
constant_negative = np.full(7, -0.25, dtype=np.float32)
tiny = (rng.normal(0, 1, size=30) * 1e-10).astype(np.float32)
single = np.array([[-12.5]], dtype=np.float32)
large = rng.uniform(-1.0, 1.0, size=(110, 190)).astype(np.float32)
large[1, 7], large[2, 3] = -5.5, 7.5
tensors = [mixed, columns, positive, negative, symmetric, constant, constant_negative, tiny, single, large]
tensors.append(large[::-1].copy())
with stand_ins(**answers_to(*(values.copy() for values in tensors)).parts("affine_parameters", "to_codes")):
    answers = [quantize_int8(Tensor(values.copy())) for values in tensors]
    zero_codes, zero_scale, zero_zero_point = quantize_int8(Tensor(np.zeros((2, 3), dtype=np.float32)))
    handed = Tensor(mixed.copy())
    twice = np.array([array_in(quantize_int8(handed)[0]) for _ in range(2)])
all_codes = [array_in(answer[0]) for answer in answers]
all_scales = [answer[1] for answer in answers]
all_zero_points = [answer[2] for answer in answers]
zero_array = array_in(zero_codes)
zero_type = str(getattr(zero_array, "dtype", None))
zero_values = zero_scale * (np.asarray(zero_array, dtype=np.float64) - zero_zero_point)
### JUDGE
for values, codes, scale, zero_point in zip(tensors, all_codes, all_scales, all_zero_points, strict=True):
    assert codes is not None, "the codes must come in a Tensor"
    assert codes.dtype == np.int8 and codes.shape == values.shape, (
        "the codes must be int8 and keep the shape of the tensor"
    )
    assert np.ndim(scale) == 0 and np.ndim(zero_point) == 0, (
        "one scale and one zero point for the whole tensor, not one per row or column"
    )
    assert isinstance(zero_point, (int, np.integer)) and -128 <= zero_point <= 127, (
        "the zero point must be an int from -128 to 127: zero must have a code, also if the data "
        "excludes zero"
    )
    low, high = min(float(values.min()), 0.0), max(float(values.max()), 0.0)
    want_scale = (high - low) / 255
    assert np.isfinite(scale) and abs(float(scale) - want_scale) <= 1e-5 * want_scale, (
        "the scale must be (high - low) / 255 over the tensor's range, widened to contain zero"
    )
    back = float(scale) * (codes.astype(np.float64) - int(zero_point))
    assert np.abs(back - values).max() <= want_scale * 0.502, (
        "scale * (code - zero_point) must give every value back within half a step, also for positive, "
        "negative, symmetric, constant and tiny data"
    )
assert zero_type == "int8" and zero_values.shape == (2, 3), (
    "a tensor of zeros must give int8 codes of its shape"
)
assert zero_values.tolist() == [[0.0] * 3] * 2, "a tensor of zeros must come back as zeros"
low, high = float(mixed.min()), float(mixed.max())
assert twice.shape == (2, *mixed.shape), "the codes must come in a Tensor, in the same shape"
steps_away = np.abs(twice - (-128 + (mixed.astype(np.float64) - low) * 255 / (high - low)))
assert steps_away.max() <= 1.001, (
    "quantize_int8 must not change the tensor that it is given: two calls on it must give the same, right codes"
)
### END HIDDEN TESTS

# %% [markdown]
# ### Exercise 4: `dequantize_int8` (6 points, about 10 minutes)
#
# The way back is the definition itself. One trap: the codes are INT8, and numpy subtracts in
# the type of its operands. `np.int8(127) - np.int8(-128)` does not fit into INT8.

# %% nbgrader={"grade": false, "grade_id": "dequantize_int8", "locked": false, "schema_version": 3, "solution": true, "task": false}
#| export
def dequantize_int8(q_tensor: Tensor, scale: float, zero_point: int) -> Tensor:
    """The real values that INT8 codes stand for: scale * (q - zero_point).

    Args:
        q_tensor: Tensor of int8 codes, any shape. It is not changed.
        scale, zero_point: as returned by `quantize_int8`.

    Returns:
        Tensor of dtype float32, the same shape.

    Example:
        >>> dequantize_int8(Tensor(np.array([-128, -43, 127], dtype=np.int8)), 3 / 255, -43).data.round(6)
        array([-1.,  0.,  2.], dtype=float32)

    Hints:
        1. Print the type of `q_tensor.data - zero_point`. Which values can it hold?
        2. If only codes far from the zero point are wrong, look at hint 1 again.
    """
    ### BEGIN SOLUTION
    return Tensor(scale * (q_tensor.data.astype(np.float32) - zero_point))
    ### END SOLUTION

# %% tags=["raises-exception"] nbgrader={"grade": true, "grade_id": "test_dequantize_int8", "locked": true, "points": 6, "schema_version": 3, "solution": false, "task": false}
codes = np.array([-128, -43, 0, 127], dtype=np.int8)
restored = dequantize_int8(Tensor(codes.copy()), 3 / 255, -43)
values = array_in(restored)
### JUDGE
assert values is not None, "dequantize_int8 must return a Tensor"
assert values.dtype == np.float32, f"the values must be float32, got {values.dtype}"
assert values.shape == codes.shape, (
    f"the values must have the shape of the codes, {codes.shape}, got {values.shape}"
)
assert values[1] == 0.0, f"the zero point -43 stands for exactly 0, got {values[1]}"
want = [-1.0, 0.0, 43 * 3 / 255, 2.0]
np.testing.assert_allclose(
    values, want, rtol=1e-5, atol=1e-6,
    err_msg="codes -128, -43, 0, 127 with scale 3/255 and zero point -43 stand for -1, 0, 0.506, 2",
)
### BEGIN HIDDEN TESTS
rng = np.random.default_rng(1604)
codes = rng.integers(-128, 128, size=(4, 5, 6)).astype(np.int8)
every_code = np.arange(-128, 128).astype(np.int8)
values = array_in(dequantize_int8(Tensor(codes.copy()), 0.0173, 31))
low_end = array_in(dequantize_int8(Tensor(every_code.copy()), 0.25, -128))
high_end = array_in(dequantize_int8(Tensor(every_code.copy()), 0.25, 127))
handed = Tensor(codes.copy())
first_values = array_in(dequantize_int8(handed, 2.0, 5))
again_values = array_in(dequantize_int8(handed, 2.0, 5))
### JUDGE
for result in (values, low_end, high_end):
    assert isinstance(result, np.ndarray) and result.dtype == np.float32, (
        "dequantize_int8 must return a Tensor of dtype float32"
    )
assert values.shape == codes.shape, "the values must keep the shape of the codes"
assert np.allclose(values, 0.0173 * (codes.astype(np.float64) - 31), rtol=1e-5, atol=1e-6), (
    "the values must be scale * (q - zero_point): check the sign of the zero point"
)
assert np.allclose(low_end, 0.25 * (every_code.astype(np.float64) + 128), rtol=1e-6, atol=0), (
    "with the zero point at the lowest code all values are positive: subtract in a type that is wider "
    "than int8"
)
assert np.allclose(high_end, 0.25 * (every_code.astype(np.float64) - 127), rtol=1e-6, atol=0), (
    "with the zero point at the highest code all values are negative: subtract in a type that is wider "
    "than int8"
)
handed_values = 2.0 * (codes.astype(np.float64) - 5)
for result in (first_values, again_values):
    assert result.shape == codes.shape and np.allclose(result, handed_values, rtol=1e-5, atol=1e-6), (
        "dequantize_int8 must not change the codes that it is given: two calls on the same Tensor must give "
        "the same, right values"
    )
### END HIDDEN TESTS

# %% [markdown]
# ### Try it: is the error bound true?
#
# Theory says: at most scale/2 inside the range. Compare with what you measure, for data of
# several kinds, with your own functions. **Predict before you run:** in which row is the scale largest?

# %% tags=["validate", "raises-exception"]
# Validate: the largest error, in steps of the scale.
def round_trip_error(values):
    """Largest |value - restored| in steps of the scale, with your functions."""
    codes, scale, zero_point = quantize_int8(Tensor(values))
    return np.abs(dequantize_int8(codes, scale, zero_point).data - values).max() / scale, scale, zero_point


rng = np.random.default_rng(0)
samples = {
    "normal": rng.normal(0, 1, 10_000),
    "after a ReLU": np.maximum(rng.normal(0, 1, 10_000), 0),
    "from 1 to 6": rng.uniform(1, 6, 10_000),
    "constant 1.5": np.full(10, 1.5),
    "normal, one value of 40": np.append(rng.normal(0, 1, 10_000), 40.0),
}
print(f"{'data':<26} {'scale':>9} {'zero point':>11} {'worst error / scale':>20}")
for label, values in samples.items():
    worst, scale, zero_point = round_trip_error(values.astype(np.float32))
    print(f"{label:<26} {scale:>9.5f} {zero_point:>11} {worst:>20.3f}")

# %% [markdown]
# The bound is relative to the *scale*, and one extreme value sets the scale for everyone. Look
# at the last row: how much coarser has its grid become than that of the first row? Keep the
# figure for written question 1.
# ### 2.3 One scale for each column
#
# In a `Linear` layer, column $j$ of the weight makes output $j$, and no other. So each column may have a scale and a
# zero point of its own, and nothing about the product becomes harder: they are applied once per output anyway.
# This is called **per-channel** quantization (the outputs are the channels); one scale for all is *per-tensor*. It costs
# a scale and a zero point per column. It pays where columns differ: a column of small weights no longer
# has the coarse steps that the largest column needs.
#
# ### Exercise 5: `quantize_per_channel` (6 points, about 20 minutes)

# %% nbgrader={"grade": false, "grade_id": "quantize_per_channel", "locked": false, "schema_version": 3, "solution": true, "task": false}
#| export
def quantize_per_channel(weight: Tensor) -> tuple[Tensor, np.ndarray, np.ndarray]:
    """Quantize each column of a weight over its own range (widened to contain zero).

    Args:
        weight: Tensor of floats, shape (in_features, out_features). It is not changed.

    Returns:
        (q_weight, scales, zero_points): q_weight a Tensor, int8, of the same shape; scales an array of
        out_features floats, zero_points one of out_features integers. For each column,
        weight[:, j] is about scales[j] * (q_weight[:, j] - zero_points[j]).

    Example:
        >>> weight = Tensor([[-1.0, 0.0], [0.0, 100.0], [2.0, 255.0]])
        >>> codes, scales, zero_points = quantize_per_channel(weight)
        >>> codes.data.tolist(), scales.round(4).tolist(), zero_points.tolist()
        ([[-128, -128], [-43, -28], [127, 127]], [0.0118, 1.0], [-43, -128])

    Hints:
        1. You have a function that quantizes a tensor over its own range. What is a column?
        2. For a weight of shape (5, 3): what shape do you want to put together, and out of what?
    """
    ### BEGIN SOLUTION
    outputs = weight.shape[1]
    codes, scales, zero_points = np.empty(weight.shape, dtype=np.int8), np.empty(outputs), np.empty(outputs, dtype=int)
    for place in range(outputs):
        column, scales[place], zero_points[place] = quantize_int8(Tensor(weight.data[:, place]))
        codes[:, place] = column.data
    return Tensor(codes), scales, zero_points
    ### END SOLUTION

# %% tags=["raises-exception"] nbgrader={"grade": true, "grade_id": "test_quantize_per_channel", "locked": true, "points": 6, "schema_version": 3, "solution": false, "task": false}
w = np.array([[-1.0, 0.0], [0.25, 100.0], [2.0, 255.0]], dtype=np.float32)
key = AnswerKey()
key.learn_tensor(w[:, 0].copy(), np.array([-128, -22, 127]), 3 / 255, -43)
key.learn_tensor(w[:, 1].copy(), np.array([-128, -28, 127]), 1.0, -128)
with stand_ins(**key.parts("affine_parameters", "to_codes", "quantize_int8")):
    q, scales, zero_points = quantize_per_channel(Tensor(w.copy()))
codes, scales, zero_points = array_in(q), np.asarray(scales, dtype=np.float64), np.asarray(zero_points)
### JUDGE
assert codes is not None, "the codes must come in a Tensor"
assert codes.dtype == np.int8 and codes.shape == (3, 2), (
    f"the codes must be int8 and have the shape of the weight, (3, 2), got {codes.dtype} and {codes.shape}"
)
assert scales.shape == (2,) and zero_points.shape == (2,), (
    f"two columns have two scales and two zero points, got shapes {scales.shape} and {zero_points.shape}"
)
assert np.allclose(scales, [3 / 255, 1.0], rtol=1e-5), (
    f"the columns span -1..2 and 0..255, so the scales are 0.01176 and 1, got {scales}"
)
assert zero_points.tolist() == [-43, -128], f"the zero points are -43 and -128, got {zero_points}"
back = scales * (codes.astype(np.float64) - zero_points)
assert np.all(np.abs(back - w) <= 0.502 * np.array([3 / 255, 1.0])), (
    f"each column must come back within half a step of its own scale; what comes back is\n{back}"
)
### BEGIN HIDDEN TESTS
def coded(values):
    """What is right for these values: codes, scale, zero point."""
    low, high = min(float(values.min()), 0.0), max(float(values.max()), 0.0)
    scale, zero_point = ((high - low) / 255, round(-128 - 255 * low / (high - low))) if high > low else (1.0, 0)
    codes = np.clip(np.rint(values.astype(np.float64) / scale) + zero_point, -128, 127)
    return codes.astype(np.int8), scale, zero_point


def answers_to(*arrays):
    """Stand-ins that know these arrays, and their ranges as they are and with zero."""
    key = AnswerKey()
    for values in arrays:
        codes, scale, zero_point = coded(values)
        key.learn_tensor(values.copy(), codes, scale, zero_point)
        key.learn_range(min(values.min(), 0.0), max(values.max(), 0.0), scale, zero_point)
    return key


rng = np.random.default_rng(1610)
sizes = np.array([0.001, 0.05, 1.0, 7.0, 90.0, 2.0, 3.0])
w = (rng.uniform(-1.0, 1.0, size=(40, 7)) * sizes).astype(np.float32)
w[:, 5] = np.abs(w[:, 5]) + np.float32(1.0)
w[:, 6] = -np.abs(w[:, 6]) - np.float32(2.0)
flat = np.array([[0.0, 1.5, -0.25]] * 4, dtype=np.float32)
single = np.array([[-12.5]], dtype=np.float32)
weights = [w, flat, single]
key = answers_to(*(weight[:, place].copy() for weight in weights for place in range(weight.shape[1])))
handed = Tensor(w.copy())
with stand_ins(**key.parts("affine_parameters", "to_codes", "quantize_int8")):
    answers = [quantize_per_channel(Tensor(weight.copy())) for weight in weights]
    answers += [quantize_per_channel(handed) for _ in range(2)]
all_codes = [array_in(answer[0]) for answer in answers]
all_scales = [np.asarray(answer[1], dtype=np.float64) for answer in answers]
all_zero_points = [np.asarray(answer[2]) for answer in answers]
### JUDGE
for weight, codes, scales, zero_points in zip(
    [w, flat, single, w, w], all_codes, all_scales, all_zero_points, strict=True
):
    assert isinstance(codes, np.ndarray) and codes.dtype == np.int8 and codes.shape == weight.shape, (
        "the codes must be an int8 Tensor of the shape of the weight"
    )
    assert scales.shape == zero_points.shape == weight.shape[1:], "each column has one scale and one zero point"
    assert np.issubdtype(zero_points.dtype, np.integer) and zero_points.min() >= -128 and zero_points.max() <= 127, (
        "zero points must be integers from -128 to 127"
    )
    lows, highs = np.minimum(weight.min(axis=0), 0.0).astype(float), np.maximum(weight.max(axis=0), 0.0).astype(float)
    want = np.where(highs > lows, (highs - lows) / 255, 1.0)
    assert np.allclose(scales, want, rtol=1e-5, atol=0), (
        "each scale must be (high - low) / 255 over the range of its own column, widened to contain zero; 1.0 for zeros"
    )
    back = scales * (codes.astype(np.float64) - zero_points)
    assert np.all(np.abs(back - weight) <= 0.502 * want), (
        "each column must come back within half a step of its own scale, and the weight must not be changed"
    )
### END HIDDEN TESTS

# %% [markdown]
# ## 3. Multiplying integers
#
# ### 3.1 A product of codes is not the product of the values
#
# A linear layer needs $y_j = \sum_k x_k w_{kj}$. Put the codes in, with a scale and zero point
# for the inputs ($s_x, z_x$) and another for the weights ($s_w, z_w$):
#
# $$y_j \approx \sum_k s_x (q_k - z_x)\; s_w (p_{kj} - z_w)$$
#
# $$= s_x s_w \Big[\underbrace{\sum_k q_k\, p_{kj}}_{\text{integer product}} - z_w \underbrace{\sum_k q_k}_{\text{row sum}} - z_x \underbrace{\sum_k p_{kj}}_{\text{column sum}} + K z_x z_w\Big]$$
#
# Four terms, all of them integers. Only the first is a matrix product. The second is one sum per
# row of the inputs; the third depends on the weights alone, so hardware computes it once; the
# fourth is a constant ($K$ is the number of inputs). The two scales are applied at the very end,
# once per output. Without the correction terms the result is the product of something else.
#
# ### 3.2 Where do the sums fit?
#
# Not into INT8. numpy multiplies and adds in the type of its operands, without a warning:

# %% tags=["validate"]
# Validate: sums that do not fit.
a = np.array([100, 100], dtype=np.int8)
print("int8 @ int8        ", a @ a, " type", (a @ a).dtype)
print("int32 @ int32      ", a.astype(np.int32) @ a.astype(np.int32))

largest_term = (127 - -128) ** 2
longest_sum = (2**31 - 1) // largest_term
print(f"one corrected term is at most {largest_term}, so INT32 is safe for sums of up to {longest_sum:,} terms")

# %% [markdown]
# This is why hardware for INT8 multiplies 8-bit codes and *accumulates in INT32*.
#
# ### Exercise 6: `int8_matmul` (8 points, about 30 minutes)
#
# Return the content of the bracket, in integers. Writing out the four terms and subtracting the
# zero points first (in a wide enough type!) give the same integers; choose.

# %% nbgrader={"grade": false, "grade_id": "int8_matmul", "locked": false, "schema_version": 3, "solution": true, "task": false}
#| export
def int8_matmul(x_codes: np.ndarray, x_zero_point: int, w_codes: np.ndarray, w_zero_point: int) -> np.ndarray:
    """Sum over k of (x_codes[..., k] - x_zero_point) * (w_codes[k, j] - w_zero_point), in INT32.

    Args:
        x_codes: int8 array of shape (..., K), with any number of leading dimensions.
        w_codes: int8 array of shape (K, N).
        x_zero_point, w_zero_point: ints from -128 to 127.

    Returns:
        integer array of shape (..., N): exact, no floats on the way.

    Example:
        >>> x, w = np.array([[3, 5]], dtype=np.int8), np.array([[10], [20]], dtype=np.int8)
        >>> int8_matmul(x, 1, w, 0)      # (3 - 1) * 10 + (5 - 1) * 20
        array([[100]], dtype=int32)

    Hints:
        1. In the example, which types do `x - 1` and `x @ w` have as they stand? Print them.
        2. If only cases with a zero point fail: try (x_zero_point, 0) and (0, w_zero_point) on their own.
    """
    ### BEGIN SOLUTION
    ### EQUIVALENT 3f66b088 by products: numpy multiplies int8 and int32 in int32 too
    ### EQUIVALENT 59d26e0b by products: numpy multiplies int8 and int32 in int32 too
    ### EQUIVALENT b5637d55 by products: a code fits into int16, and the product is of int32
    x, w = x_codes.astype(np.int32), w_codes.astype(np.int32)
    sums: np.ndarray = x @ w
    ### EQUIVALENT 2d91ba54 by products: numpy adds up in int64 then, and the sums stay int32
    row_sums = x.sum(axis=-1, keepdims=True, dtype=np.int32)
    ### EQUIVALENT 760bedf8 by products: numpy adds up in int64 then, and the sums stay int32
    column_sums = w.sum(axis=0, dtype=np.int32)
    constant = np.int32(w.shape[0] * x_zero_point * w_zero_point)
    ### EQUIVALENT c017f7d8 by products: a zero point fits into int16
    sums += constant - np.int32(w_zero_point) * row_sums - np.int32(x_zero_point) * column_sums
    return sums
    ### END SOLUTION

# %% tags=["raises-exception"] nbgrader={"grade": true, "grade_id": "test_int8_matmul", "locked": true, "points": 8, "schema_version": 3, "solution": false, "task": false}
x_codes = np.array([[3, 5], [100, -100], [127, -128]], dtype=np.int8)
w_codes = np.array([[10, 100, -1], [20, 100, 2]], dtype=np.int8)
plain = int8_matmul(x_codes.copy(), 0, w_codes.copy(), 0)
shifted = int8_matmul(x_codes.copy(), 1, w_codes.copy(), -7)
### JUDGE
for result in (plain, shifted):
    assert isinstance(result, np.ndarray) and result.dtype in (np.int32, np.int64), (
        "the result must be an integer array that is wide enough (int32), got "
        f"{getattr(result, 'dtype', type(result).__name__)}"
    )
    assert result.shape == (3, 3), f"codes (3, 2) times codes (2, 3) give (3, 3), got {result.shape}"
want_plain = [[130, 800, 7], [-1000, 0, -300], [-1290, -100, -383]]
assert plain.tolist() == want_plain, (
    f"with both zero points 0 this is the plain product {want_plain}, got {plain.tolist()}"
)
want_shifted = [[(3 - 1) * 17 + (5 - 1) * 27, (3 - 1) * 107 + (5 - 1) * 107, (3 - 1) * 6 + (5 - 1) * 9]]
assert shifted[:1].tolist() == want_shifted, (
    f"with zero points 1 and -7 the first row is {want_shifted}, got {shifted[:1].tolist()}: are all "
    "four terms there, with their signs?"
)
### BEGIN HIDDEN TESTS
rng = np.random.default_rng(1605)
x_codes = rng.integers(-128, 128, size=(3, 4, 700)).astype(np.int8)
w_codes = rng.integers(-128, 128, size=(700, 9)).astype(np.int8)
extreme_x = np.full((2, 1500), 127, dtype=np.int8)
extreme_w = np.full((1500, 3), -128, dtype=np.int8)
extreme_w[::2, 1] = 127
cases = [(0, 0), (17, 0), (0, -23), (-128, 127), (127, -128), (5, 11)]
results = [int8_matmul(x_codes.copy(), zx, w_codes.copy(), zw) for zx, zw in cases]
vector_result = int8_matmul(x_codes[0, 0].copy(), 3, w_codes.copy(), -2)
extreme_result = int8_matmul(extreme_x.copy(), -128, extreme_w.copy(), 127)
handed_x, handed_w = x_codes.copy(), w_codes.copy()
first_result = int8_matmul(handed_x, 9, handed_w, 4)
again_result = int8_matmul(handed_x, 9, handed_w, 4)
### JUDGE
for case, result in zip(cases, results, strict=True):
    assert isinstance(result, np.ndarray) and result.dtype in (np.int32, np.int64), (
        "the sums must stay integers of at least 32 bits"
    )
    assert result.shape == (3, 4, 9), (
        "leading dimensions of the inputs must be kept: (..., K) times (K, N) gives (..., N)"
    )
    want = (x_codes.astype(np.int64) - case[0]) @ (w_codes.astype(np.int64) - case[1])
    assert np.array_equal(result, want), (
        "the result must be exact for any pair of zero points: all four terms, added up in int32"
    )
want_vector = (x_codes[0, 0].astype(np.int64) - 3) @ (w_codes.astype(np.int64) + 2)
assert vector_result.shape == (9,) and np.array_equal(vector_result, want_vector), (
    "a single vector of inputs, shape (K,), must work too"
)
want_extreme = (extreme_x.astype(np.int64) + 128) @ (extreme_w.astype(np.int64) - 127)
assert np.issubdtype(extreme_result.dtype, np.integer) and np.array_equal(extreme_result, want_extreme), (
    "long sums of extreme codes must be exact: nothing may overflow or be rounded on the way"
)
want_handed = (x_codes.astype(np.int64) - 9) @ (w_codes.astype(np.int64) - 4)
assert np.array_equal(first_result, want_handed) and np.array_equal(again_result, want_handed), (
    "int8_matmul must not change the codes that it is given: two calls on the same arrays must give the "
    "same, right sums"
)
### END HIDDEN TESTS

# %% [markdown]
# ### 3.3 Calibration: the range of inputs that are not there yet
#
# Weights are known, inputs are not. There are two ways to get a range for them:
#
# - **Calibrated (static).** Run sample inputs through the layer beforehand, note the smallest and
#   the largest value over *all* samples, and fix scale and zero point. Nothing has to be searched
#   at inference. Inputs outside that range saturate.
# - **Uncalibrated (dynamic).** Take the range from each input as it comes. Nothing saturates, but
#   each call must first search its input, and the result for one row depends on the other rows
#   of the batch.
#
# `QuantizedLinear` does both: **calibrated, it uses the fixed range; never calibrated, it
# quantizes dynamically, and `input_scale` stays `None`.**
#
# The bias is added after the scales, once per output. It stays float32: it is
# `out_features` numbers against `in_features * out_features` weights.
#
# ### 3.4 Bytes, counted honestly
#
# A quantized layer has to store its codes, its bias, and besides two scales (float32) and two
# zero points (int32), for weights and inputs: `OVERHEAD_BYTES` = 16. We count all of it. And the
# float layer must be *gone*: a quantized layer that keeps a reference to it needs more memory
# than before.
#
# ### 3.5 The layer
#
# The class is given. What its methods do is yours: behind four of them stands a function that you write.
#
# | attribute | content |
# |---|---|
# | `q_weight` | Tensor, int8, shape (in_features, out_features) |
# | `weight_scale`, `weight_zero_point` | float, int |
# | `bias` | Tensor, float32, shape (out_features,), or None |
# | `input_scale`, `input_zero_point` | float, int; None until calibrated |
# | `original_bytes` | int: bytes of the float layer's arrays |

# %% nbgrader={"grade": false, "grade_id": "quantized_linear", "locked": true, "schema_version": 3, "solution": false, "task": false}
#| export
class QuantizedLinear:
    """A Linear layer that stores INT8 weights and multiplies INT8 by INT8.

    `QuantizedLinear(linear_layer)` copies what it needs and does not keep the float layer.
    """

    q_weight: Tensor
    weight_scale: float
    weight_zero_point: int
    bias: Tensor | None
    original_bytes: int

    def __init__(self, linear_layer: Linear) -> None:
        """Quantize the weight (`store_weights`); the inputs' range stays open."""
        self.in_features, self.out_features = linear_layer.weight.shape
        self.input_scale: float | None = None
        self.input_zero_point: int | None = None
        store_weights(self, linear_layer)

    def calibrate(self, sample_inputs: list[Tensor]) -> None:
        """Fix the inputs' range by sample inputs (`calibration_range`); only the newest ones count."""
        self.input_scale, self.input_zero_point = calibration_range(sample_inputs)

    def forward(self, x: Tensor) -> Tensor:
        """Tensor (..., in_features) to (..., out_features) (`quantized_forward`)."""
        return quantized_forward(self, x)

    def __call__(self, x: Tensor) -> Tensor:
        """Same as `forward`."""
        return self.forward(x)

    def parameters(self) -> list[Tensor]:
        """What the layer stores: the codes of the weight, and the bias if there is one."""
        stored = [self.q_weight]
        if self.bias is not None:
            stored.append(self.bias)
        return stored

    def memory_usage(self) -> dict[str, float]:
        """Bytes before and after (`layer_memory`)."""
        return layer_memory(self)

# %% jupyter={"source_hidden": true} nbgrader={"grade": false, "grade_id": "int8_layer", "locked": true, "schema_version": 3, "solution": false, "task": false}
def int8_layer(codes, scale, zero_point, bias=None, input_scale=None, input_zero_point=None, original_bytes=0):
    """A QuantizedLinear with these contents, as tests need it; none of your functions is called."""
    layer = QuantizedLinear.__new__(QuantizedLinear)
    layer.in_features, layer.out_features = codes.shape
    layer.q_weight, layer.weight_scale, layer.weight_zero_point = Tensor(codes), scale, zero_point
    layer.bias = None if bias is None else Tensor(bias)
    layer.input_scale, layer.input_zero_point, layer.original_bytes = input_scale, input_zero_point, original_bytes
    return layer

# %% [markdown]
# ### Exercise 7: `store_weights` (6 points, about 15 minutes)
#
# What has to be kept of a float layer? Nothing else may be: soon it is gone.

# %% nbgrader={"grade": false, "grade_id": "store_weights", "locked": false, "schema_version": 3, "solution": true, "task": false}
#| export
def store_weights(layer: QuantizedLinear, linear_layer: Linear) -> None:
    """Set what a quantized layer keeps of a float layer.

    Afterwards `layer` has
        q_weight, weight_scale, weight_zero_point: as `quantize_int8` gives them for the weight
        bias: a Tensor of its own, float32, that holds the bias; None if there is no bias
        original_bytes: how many bytes the float layer's arrays occupy (`.data.nbytes`; a float16
            layer has half of a float32 one)

    Hints:
        1. Which of these does `quantize_int8` hand you, and in which order?
        2. If somebody changes the float layer's bias afterwards: may yours change as well?
    """
    ### BEGIN SOLUTION
    layer.q_weight, layer.weight_scale, layer.weight_zero_point = quantize_int8(linear_layer.weight)
    layer.bias = None if linear_layer.bias is None else Tensor(linear_layer.bias.data.astype(np.float32))
    layer.original_bytes = sum(parameter.data.nbytes for parameter in linear_layer.parameters())
    ### END SOLUTION

# %% tags=["raises-exception"] nbgrader={"grade": true, "grade_id": "test_stored_weights", "locked": true, "points": 6, "schema_version": 3, "solution": false, "task": false}
w_codes = np.array([[-128, 5, 0, 60], [127, -3, 31, 1], [7, 8, -90, 100]], dtype=np.int8)
w = (0.5 * (w_codes.astype(np.float32) + 3)).astype(np.float32)  # scale 0.5, zero point -3
b = np.array([3.0, -2.0, 0.5, 0.0], dtype=np.float32)
key = AnswerKey()
key.learn_tensor(w.copy(), w_codes.copy(), 0.5, -3)
with stand_ins(**key.parts("affine_parameters", "to_codes", "quantize_int8")):
    layer = QuantizedLinear(linear_from(w.copy(), b.copy()))
codes, scale, zero_point = array_in(layer.q_weight), layer.weight_scale, layer.weight_zero_point
bias, original_bytes = array_in(layer.bias), layer.original_bytes
### JUDGE
assert codes is not None, "q_weight must be a Tensor"
assert codes.dtype == np.int8 and codes.shape == (3, 4), (
    f"q_weight must be int8 and keep the shape (in_features, out_features), (3, 4), got {codes.dtype} and {codes.shape}"
)
assert codes.tolist() == w_codes.tolist(), "q_weight must hold the codes that quantize_int8 gives for the weight"
assert np.ndim(scale) == 0 and np.isclose(float(scale), 0.5, rtol=1e-6, atol=0) and zero_point == -3, (
    f"weight_scale and weight_zero_point must be those of the weight, 0.5 and -3, got {scale} and {zero_point}"
)
assert bias is not None, "bias must be a Tensor"
assert bias.dtype == np.float32 and np.array_equal(bias, b), "the bias must be kept as it is, in float32"
assert original_bytes == 4 * (12 + 4), f"12 weights and 4 biases in float32 are 64 bytes, got {original_bytes}"
### BEGIN HIDDEN TESTS
rng = np.random.default_rng(1606)
w_codes = rng.integers(-128, 128, size=(23, 9)).astype(np.int8)
w_codes[4, 4], w_codes[5, 2] = -128, 127
w = (0.0625 * (w_codes.astype(np.float32) - 21)).astype(np.float32)
b = (np.rint(rng.normal(0, 200, size=9)) / 64).astype(np.float32)
key = AnswerKey()
key.learn_tensor(w.copy(), w_codes.copy(), 0.0625, 21)
float_layer = linear_from(w.copy(), b.copy())
half_layer = linear_from(w.astype(np.float16), b.astype(np.float16))
shared_bias = b.copy()
with stand_ins(**key.parts("affine_parameters", "to_codes", "quantize_int8")):
    layer = QuantizedLinear(float_layer)
    bare = QuantizedLinear(linear_from(w.copy()))
    half = QuantizedLinear(half_layer)
    copied = QuantizedLinear(linear_from(w.copy(), shared_bias))
shared_bias += 100.0
codes, scale, zero_point = array_in(layer.q_weight), layer.weight_scale, layer.weight_zero_point
half_codes = array_in(half.q_weight)
bare_bias, copied_bias, half_bias = bare.bias, array_in(copied.bias), array_in(half.bias)
counted = [layer.original_bytes, bare.original_bytes, half.original_bytes]
left_alone = [float_layer.weight.data, float_layer.bias.data]
### JUDGE
assert isinstance(codes, np.ndarray) and codes.dtype == np.int8 and np.array_equal(codes, w_codes), (
    "q_weight must hold the codes that quantize_int8 gives for the weight, in a Tensor"
)
assert isinstance(half_codes, np.ndarray) and np.array_equal(half_codes, w_codes), (
    "q_weight must hold the codes that quantize_int8 gives for the weight, also if that is float16"
)
assert np.ndim(scale) == 0 and np.isclose(float(scale), 0.0625, rtol=1e-6, atol=0) and zero_point == 21, (
    "weight_scale and weight_zero_point must be those that quantize_int8 gives"
)
assert bare_bias is None, "a layer without bias must have bias None"
assert isinstance(copied_bias, np.ndarray) and copied_bias.dtype == np.float32 and np.array_equal(copied_bias, b), (
    "the bias must be a copy: the layer must not share the float layer's array"
)
assert isinstance(half_bias, np.ndarray) and half_bias.dtype == np.float32, "the bias must be float32, whatever it was"
assert np.array_equal(half_bias, b.astype(np.float16).astype(np.float32)), "the bias must keep its values"
assert counted == [4 * (207 + 9), 4 * 207, 2 * (207 + 9)], (
    "original_bytes must be measured from the float layer's arrays (.nbytes), weight and bias: a float16 number has two bytes"
)
assert len(left_alone) == 2 and np.array_equal(left_alone[0], w) and np.array_equal(left_alone[1], b), (
    "the float layer must be left as it was"
)
### END HIDDEN TESTS
### BEGIN HIDDEN TESTS
layers = []
for number in range(1, 65):
    megabyte = np.full((2048, 128), number, dtype=np.float32)
    megabyte[0] = 0
    key = AnswerKey()
    key.learn_tensor(megabyte[::64].copy(), np.where(megabyte[::64] > 0, 127, -128), number / 255, -128)
    with stand_ins(**key.parts("affine_parameters", "to_codes", "quantize_int8")):
        layers.append(QuantizedLinear(linear_from(megabyte[::64])))
stands_for = [
    float(layer.weight_scale * (float(layer.q_weight.data[-1, -1]) - layer.weight_zero_point)) for layer in layers
]
### JUDGE
assert np.shape(stands_for) == (64,) and np.allclose(stands_for, np.arange(1, 65), rtol=1e-5), (
    "weight_scale * (q_weight - weight_zero_point) must come close to the weight, for every layer"
)
### MEASURED
# assert peak_mb < 32, (
#     "the float layer, its weight Tensor or its weight array is still alive: the quantized layer must "
#     "not keep it"
# )
### END HIDDEN TESTS

# %% [markdown]
# ### Exercise 8: `calibration_range` (6 points, about 15 minutes)
#
# Samples come in batches, and batches need not be alike: two rows, one row, or a single vector.

# %% nbgrader={"grade": false, "grade_id": "calibration_range", "locked": false, "schema_version": 3, "solution": true, "task": false}
#| export
def calibration_range(sample_inputs: list[Tensor]) -> tuple[float, int]:
    """Scale and zero point for the smallest to the largest value over all samples.

    Args:
        sample_inputs: list of at least one Tensor; they may have different shapes. They are not changed.

    Returns:
        (scale, zero_point), as `affine_parameters` gives them.

    Hints:
        1. Two batches of shapes (2, 5) and (1, 5), one vector of shape (5,): what of them can be compared without
           putting them into one array?
        2. Is the average of two smallest values the smallest value of both?
    """
    ### BEGIN SOLUTION
    low = min(sample.data.min() for sample in sample_inputs)
    high = max(sample.data.max() for sample in sample_inputs)
    return affine_parameters(low, high)
    ### END SOLUTION

# %% tags=["raises-exception"] nbgrader={"grade": true, "grade_id": "test_calibrate", "locked": true, "points": 6, "schema_version": 3, "solution": false, "task": false}
low_batch = np.array([[-2.0, 0.1], [0.3, 0.2]], dtype=np.float32)
high_batch = np.array([[0.5, 6.0]], dtype=np.float32)
key = AnswerKey()
key.learn_range(-2.0, 6.0, 8 / 255, -64)
with stand_ins(**key.parts("affine_parameters")):
    scale, zero_point = calibration_range([Tensor(low_batch.copy()), Tensor(high_batch.copy())])
### JUDGE
one_of_each = np.shape(scale) == np.shape(zero_point) == ()
assert one_of_each, "there is one input_scale and one input_zero_point for the layer"
assert abs(float(scale) - 8 / 255) <= 1e-7 and zero_point == -64, (
    f"the samples span -2..6, so affine_parameters(-2, 6) is asked for: {8 / 255:.6f} and -64; got {scale} and {zero_point}"
)
### BEGIN HIDDEN TESTS
def coded(values):
    """What is right for these values: codes, scale, zero point."""
    low, high = min(float(values.min()), 0.0), max(float(values.max()), 0.0)
    scale, zero_point = ((high - low) / 255, round(-128 - 255 * low / (high - low))) if high > low else (1.0, 0)
    codes = np.clip(np.rint(values.astype(np.float64) / scale) + zero_point, -128, 127)
    return codes.astype(np.int8), scale, zero_point


def answers_to(*arrays):
    """Stand-ins that know these arrays, and their ranges as they are and with zero."""
    key = AnswerKey()
    for values in arrays:
        codes, scale, zero_point = coded(values)
        key.learn_tensor(values.copy(), codes, scale, zero_point)
        key.learn_range(min(values.min(), 0.0), max(values.max(), 0.0), scale, zero_point)
    return key


rng = np.random.default_rng(1607)
batches = [
    rng.normal(0, 20, size=(4, 5)).astype(np.float32),
    rng.normal(-90, 30, size=(2, 7, 5)).astype(np.float32),
    rng.normal(150, 40, size=(5,)).astype(np.float32),
    rng.normal(0, 3, size=(3, 5)).astype(np.float32),
]
narrow = [
    rng.uniform(-60.0, -20.0, size=(6, 5)).astype(np.float32),
    rng.uniform(-20.0, 30.0, size=(1, 5)).astype(np.float32),
]
positive = [rng.uniform(3.0, 4.0, size=(2, 5)).astype(np.float32)]
groups = [batches, narrow, positive]
everything = [np.concatenate([batch.ravel() for batch in group]) for group in groups]
layer = int8_layer(np.ones((5, 3), dtype=np.int8), 0.5, 0)
answers = []
with stand_ins(**answers_to(*(values.copy() for values in everything)).parts("affine_parameters")):
    handed = [Tensor(batch.copy()) for batch in batches]
    answers.append(calibration_range(handed))
    for group in groups:
        layer.calibrate([Tensor(batch.copy()) for batch in group])
        answers.append((layer.input_scale, layer.input_zero_point))
    answers.append(calibration_range(handed))
### JUDGE
assert len(answers) == 5, "each call must give a scale and a zero point"
for values, (scale, zero_point) in zip([everything[0], *everything, everything[0]], answers, strict=True):
    assert np.ndim(scale) == 0 and np.ndim(zero_point) == 0, "there is one scale and one zero point"
    low, high = min(float(values.min()), 0.0), max(float(values.max()), 0.0)
    assert np.isclose(float(scale), (high - low) / 255, rtol=1e-6, atol=0), (
        "the range must span the smallest and the largest value over all samples, not those of one sample "
        "or their average, and only those of this call"
    )
    assert abs(zero_point - (-128 - 255 * low / (high - low))) <= 0.501, (
        "the zero point must be that of the range over all samples of this call"
    )
### END HIDDEN TESTS

# %% [markdown]
# ### Exercise 9: `quantized_forward` (8 points, about 30 minutes)
#
# Its test brings a layer with codes of its own, and the right codes of the inputs. A mistake in exercises 1 to 8 is not
# counted again here.

# %% nbgrader={"grade": false, "grade_id": "quantized_forward", "locked": false, "schema_version": 3, "solution": true, "task": false}
#| export
def quantized_forward(layer: QuantizedLinear, x: Tensor) -> Tensor:
    """Tensor (..., in_features) -> Tensor (..., out_features), float32.

    1. scale and zero point of the input: the calibrated ones, or this input's own range
    2. codes of the input
    3. `int8_matmul` with the codes of the weight
    4. both scales, then the bias

    The layer stays as it is: an uncalibrated one takes each input's own range, every time.

    Hints:
        1. Write the four lines down with shapes: what has shape (..., in_features), what (..., out_features)?
        2. Wrong by about the bias? Wrong by a factor? Print the output beside x @ weight for one row.
    """
    ### BEGIN SOLUTION
    scale, zero_point = layer.input_scale, layer.input_zero_point
    ### EQUIVALENT 276364c2 by layers: calibration sets both, or neither
    if scale is None or zero_point is None:
        scale, zero_point = affine_parameters(x.data.min(), x.data.max())
    codes = to_codes(x.data, scale, zero_point)
    sums = int8_matmul(codes, zero_point, layer.q_weight.data, layer.weight_zero_point)
    output = sums * (scale * layer.weight_scale)
    if layer.bias is not None:
        output = output + layer.bias.data
    ### EQUIVALENT 15cac29b by layers: a Tensor holds floats as float32
    return Tensor(output.astype(np.float32))
    ### END SOLUTION

# %% tags=["raises-exception"] nbgrader={"grade": true, "grade_id": "test_forward", "locked": true, "points": 8, "schema_version": 3, "solution": false, "task": false}
w_codes = np.array([[10, 100], [20, -100], [-128, 127]], dtype=np.int8)
b = np.array([4.0, -3.0], dtype=np.float32)
x = np.array([[-1.0, 0.0, 2.0], [0.25, 2.0, 0.0]], dtype=np.float32)
x_codes = np.array([[-128, -43, 127], [-22, 127, -43]], dtype=np.int8)  # scale 3/255, zero point -43
sums = np.array([[-22865, 12835], [3037, -15473]])  # what int8_matmul gives for these codes, zero points -43 and 3
key = AnswerKey()
key.learn_tensor(x.copy(), x_codes.copy(), 3 / 255, -43)
key.learn_product(x_codes.copy(), -43, w_codes.copy(), 3, sums.copy())
calibrated = int8_layer(w_codes.copy(), 0.01, 3, b.copy(), input_scale=3 / 255, input_zero_point=-43)
uncalibrated = int8_layer(w_codes.copy(), 0.01, 3)
with stand_ins(**key.parts("affine_parameters", "to_codes", "quantize_int8", "int8_matmul")):
    output = array_in(quantized_forward(calibrated, Tensor(x.copy())))
    bare_output = array_in(quantized_forward(uncalibrated, Tensor(x.copy())))
### JUDGE
assert output is not None and bare_output is not None, "the output must be a Tensor"
assert output.dtype == np.float32, f"the output must be float32, got {output.dtype}"
assert output.shape == (2, 2), f"inputs (2, 3) through a 3 -> 2 layer give (2, 2), got {output.shape}"
want = 3 / 255 * 0.01 * sums
worst = np.abs(output - (want + b)).max()
assert worst <= 1e-4, (
    f"recomputed from the codes and scales, the output differs by up to {worst:.4f}. If that is "
    "about the size of the bias, look there; otherwise look at the zero points"
)
assert bare_output.shape == (2, 2) and np.abs(bare_output - want).max() <= 1e-4, (
    "a layer without a bias that was never calibrated takes the range of its input, -1..2 here, and adds nothing"
)
### BEGIN HIDDEN TESTS
def coded(values):
    """What is right for these values: codes, scale, zero point."""
    low, high = min(float(values.min()), 0.0), max(float(values.max()), 0.0)
    scale, zero_point = ((high - low) / 255, round(-128 - 255 * low / (high - low))) if high > low else (1.0, 0)
    codes = np.clip(np.rint(values.astype(np.float64) / scale) + zero_point, -128, 127)
    return codes.astype(np.int8), scale, zero_point


rng = np.random.default_rng(1608)
w_codes = rng.integers(-128, 128, size=(11, 6)).astype(np.int8)
sw, zw = 0.0137, -29
b = (rng.choice([-1.0, 1.0], size=6) * rng.uniform(5.0, 9.0, size=6)).astype(np.float32)
x = rng.normal(0.7, 1.0, size=(3, 4, 11)).astype(np.float32)
calm = rng.uniform(-0.9, 0.7, size=(8, 11)).astype(np.float32)
loud = (calm * np.float32(7.0)).astype(np.float32)
positive = rng.uniform(1.0, 250.0, size=(5, 11)).astype(np.float32)
vector = calm[0].copy()
negative = (-rng.uniform(1.0, 30.0, size=(4, 11))).astype(np.float32)
nothing = np.zeros((2, 11), dtype=np.float32)
calm_codes, calm_scale, calm_zero = coded(calm)
x_codes, x_scale, x_zero = coded(x)
positive_codes, positive_scale, positive_zero = coded(positive)
vector_codes, vector_scale, vector_zero = coded(vector)
negative_codes, negative_scale, negative_zero = coded(negative)
loud_codes = np.clip(np.rint(loud.astype(np.float64) / calm_scale) + calm_zero, -128, 127).astype(np.int8)
long_x_codes = np.repeat(np.array([126, -84, -128, 0, 3]), [9000, 9000, 1, 1, 1])[None].astype(np.int8)
long_w_codes = np.repeat(np.array([100, 120, 0, -105, 1]), [9000, 9000, 1, 1, 1])[:, None].astype(np.int8)
long_w_codes[:9000] = 80
long_x = ((long_x_codes.astype(np.float64) - 2) / 195.12).astype(np.float32)
integer_x, integer_w = long_x_codes.astype(np.int64) - 2, long_w_codes.astype(np.int64) + 3
key = AnswerKey()
products = [
    (calm, calm_codes, calm_scale, calm_zero), (x, x_codes, x_scale, x_zero), (loud, loud_codes, calm_scale, calm_zero),
    (positive, positive_codes, positive_scale, positive_zero), (vector, vector_codes, vector_scale, vector_zero),
    (negative, negative_codes, negative_scale, negative_zero), (nothing, nothing.astype(np.int8), 1.0, 0),
]
for values, codes, scale, zero_point in products:
    key.learn_codes(values.copy(), codes.copy(), scale, zero_point)
    exact = (codes.astype(np.int64) - zero_point) @ (w_codes.astype(np.int64) - zw)
    key.learn_product(codes.copy(), zero_point, w_codes.copy(), zw, exact)
for values in (calm, positive, vector, negative):
    key.learn_tensor(values.copy(), *(part for part in coded(values)))
    key.learn_range(min(values.min(), 0.0), max(values.max(), 0.0), *coded(values)[1:])
key.learn_codes(long_x.copy(), long_x_codes.copy(), 1 / 195.12, 2)
key.learn_product(long_x_codes.copy(), 2, long_w_codes.copy(), -3, integer_x @ integer_w)
layer = int8_layer(w_codes.copy(), sw, zw, b.copy(), x_scale, x_zero)
bare = int8_layer(w_codes.copy(), sw, zw, None, calm_scale, calm_zero)
fresh = int8_layer(w_codes.copy(), sw, zw, b.copy())
long_layer = int8_layer(long_w_codes.copy(), 1 / 128.97, -3, None, 1 / 195.12, 2)
with stand_ins(**key.parts("affine_parameters", "to_codes", "quantize_int8", "int8_matmul")):
    output = array_in(quantized_forward(layer, Tensor(x.copy())))
    calm_output = array_in(quantized_forward(bare, Tensor(calm.copy())))
    loud_output = array_in(bare(Tensor(loud.copy())))
    fresh_calm_output = array_in(quantized_forward(fresh, Tensor(calm.copy())))
    fresh_positive_output = array_in(fresh.forward(Tensor(positive.copy())))
    fresh_vector_output = array_in(quantized_forward(fresh, Tensor(vector.copy())))
    fresh_negative_output = array_in(quantized_forward(fresh, Tensor(negative.copy())))
    fresh_zero_output = array_in(quantized_forward(fresh, Tensor(nothing.copy())))
    long_output = array_in(quantized_forward(long_layer, Tensor(long_x.copy())))
states = [(each.input_scale, each.input_zero_point) for each in (layer, bare, fresh)]
### JUDGE
integer_w = w_codes.astype(np.int64) - zw
outputs = [output, calm_output, loud_output, fresh_calm_output, fresh_positive_output, fresh_vector_output]
outputs += [fresh_negative_output, fresh_zero_output]
shapes = [(3, 4, 6), (8, 6), (8, 6), (8, 6), (5, 6), (6,), (4, 6), (2, 6)]
for result, shape in zip(outputs, shapes, strict=True):
    assert isinstance(result, np.ndarray) and result.dtype == np.float32, (
        "the output must be a Tensor of dtype float32"
    )
    assert result.shape == shape, (
        "the output must have the shape (..., out_features), with all leading dimensions of the input"
    )
    assert np.isfinite(result).all(), "the output must be finite"


def is_near(result, scale, zero_point, codes, bias):
    want = scale * sw * ((codes.astype(np.int64) - int(zero_point)) @ integer_w) + bias
    return np.abs(result - want).max() <= 1e-4 * np.abs(want).max()


assert is_near(output, x_scale, x_zero, x_codes, b), (
    "the output must be input_scale * weight_scale * (corrected integer sums) + bias, from the codes "
    "of the input"
)
assert is_near(calm_output, calm_scale, calm_zero, calm_codes, 0.0), (
    "without a bias the output must be the scaled integer sums, nothing more"
)
assert is_near(loud_output, calm_scale, calm_zero, loud_codes, 0.0), (
    "a calibrated layer must use its calibrated range for every input, also for one that lies outside"
)
assert states == [(x_scale, x_zero), (calm_scale, calm_zero), (None, None)], (
    "forward must not change the calibration, nor calibrate a layer: an uncalibrated one takes each input's own range"
)
assert is_near(fresh_calm_output, calm_scale, calm_zero, calm_codes, b), (
    "an uncalibrated layer must quantize its input over the input's own range"
)
assert is_near(fresh_positive_output, positive_scale, positive_zero, positive_codes, b), (
    "an uncalibrated layer must take the range of each new input, not that of an earlier one"
)
assert is_near(fresh_negative_output, negative_scale, negative_zero, negative_codes, b), (
    "an uncalibrated layer must take inputs without a positive number, too: its range is widened to contain zero"
)
assert np.array_equal(fresh_zero_output, np.array([b, b])), "an input of zeros must give the bias"
assert is_near(fresh_vector_output, vector_scale, vector_zero, vector_codes, b), "a single vector must work too"
long_x_steps, long_w_steps = long_x_codes.astype(np.int64) - 2, long_w_codes.astype(np.int64) + 3
long_sum, long_step = (long_x_steps @ long_w_steps).item(), 1 / 195.12 / 128.97
assert isinstance(long_output, np.ndarray) and long_output.shape == (1, 1), "a long input must work too"
assert abs(long_output.item() - long_step * long_sum) <= 0.1 * long_step * (1 + 1e-4 * abs(long_sum)), (
    "forward must multiply integers: in this long sum the large terms cancel exactly, and what is left is lost "
    "when codes are turned back into floats before they are multiplied"
)
### END HIDDEN TESTS

# %% [markdown]
# ### Exercise 10: `layer_memory` (4 points, about 10 minutes)

# %% nbgrader={"grade": false, "grade_id": "layer_memory", "locked": false, "schema_version": 3, "solution": true, "task": false}
#| export
def layer_memory(layer: QuantizedLinear) -> dict[str, float]:
    """Bytes of a layer before and after, measured from the arrays.

    Returns a dict with
        original_bytes: what the float layer's arrays occupied (`layer.original_bytes`)
        quantized_bytes: what the codes and the bias occupy (`.data.nbytes`), plus OVERHEAD_BYTES
        compression_ratio: original_bytes / quantized_bytes

    Hint: which arrays does the layer hold? Not every layer has both.
    """
    ### BEGIN SOLUTION
    arrays = [tensor.data for tensor in (layer.q_weight, layer.bias) if tensor is not None]
    quantized_bytes = sum(array.nbytes for array in arrays) + OVERHEAD_BYTES
    return {
        "original_bytes": layer.original_bytes,
        "quantized_bytes": quantized_bytes,
        "compression_ratio": layer.original_bytes / quantized_bytes,
    }
    ### END SOLUTION

# %% tags=["raises-exception"] nbgrader={"grade": true, "grade_id": "test_memory_usage", "locked": true, "points": 4, "schema_version": 3, "solution": false, "task": false}
KEYS = ["original_bytes", "quantized_bytes", "compression_ratio"]
layer = int8_layer(np.ones((64, 32), dtype=np.int8), 0.5, 3, np.ones(32, dtype=np.float32), original_bytes=8320)
usage = layer_memory(layer)
missing = sorted(set(KEYS) - set(usage))
amounts = [usage.get(key) for key in KEYS]
### JUDGE
assert missing == [], f"layer_memory must give the keys {', '.join(KEYS)}; missing: {missing}"
original, quantized, ratio = amounts
assert original == 8320, f"the float layer's arrays occupied 8320 bytes, got {original}"
assert quantized == 64 * 32 + 4 * 32 + 16, (
    f"2048 codes of one byte, 32 biases of four, and 16 bytes for scales and zero points are 2192 bytes; got {quantized}"
)
assert np.isclose(ratio, 8320 / 2192, rtol=1e-6), f"compression_ratio must be 8320 / 2192, got {ratio}"
### BEGIN HIDDEN TESTS
KEYS = ["original_bytes", "quantized_bytes", "compression_ratio"]
shapes = [(7, 3), (128, 40), (1, 1)]
originals = [96, 10320, 5000]
with_bias = [
    int8_layer(np.ones(shape, dtype=np.int8), 0.1, -4, np.zeros(shape[1], dtype=np.float32), original_bytes=before)
    for shape, before in zip(shapes, originals)
]
without_bias = [
    int8_layer(np.zeros(shape, dtype=np.int8), 2.0, 0, original_bytes=before) for shape, before in zip(shapes, originals)
]
answers = [[layer_memory(layer).get(key) for key in KEYS] for layer in with_bias]
bare_answers = [[layer.memory_usage().get(key) for key in KEYS] for layer in without_bias]
### JUDGE
for bias_bytes, results in ((4, answers), (0, bare_answers)):
    for (rows, columns), before, (original, quantized, ratio) in zip(shapes, originals, results, strict=True):
        want = rows * columns + bias_bytes * columns + 16
        assert original == before, "original_bytes must be what the float layer's arrays occupied, as the layer has noted it"
        assert quantized == want, (
            "quantized_bytes must be the bytes of this layer's arrays plus OVERHEAD_BYTES, with a bias and without"
        )
        assert np.isclose(ratio, before / want, rtol=1e-6), (
            "compression_ratio must be original_bytes / quantized_bytes, for every shape"
        )
### END HIDDEN TESTS

# %% [markdown]
# ## 4. Whole models
#
# Two helpers are given. `flat_layers` opens containers, `parameters_of` copes with layers
# that have no parameters.

# %% nbgrader={"grade": false, "grade_id": "model_helpers", "locked": true, "schema_version": 3, "solution": false, "task": false}
#| export
def flat_layers(model: Any) -> list[Any]:
    """All layers of a model with `.layers`, containers inside it opened, in the order of the data."""
    layers: list[Any] = []
    for layer in model.layers:
        layers.extend(flat_layers(layer) if hasattr(layer, "layers") else [layer])
    return layers


def parameters_of(layer: Any) -> list[Tensor]:
    """The parameters of a layer; an empty list if it has none."""
    return list(layer.parameters()) if hasattr(layer, "parameters") else []


# %% [markdown]
# The next cell is for the tests of this part: a layer of another kind, and parts that stand in for exercises 7 to 10. You
# need not read it.

# %% jupyter={"source_hidden": true} nbgrader={"grade": false, "grade_id": "float_stand_ins", "locked": true, "schema_version": 3, "solution": false, "task": false}
class Gain:
    """A layer of somebody else's: one parameter, and no base class."""

    def __init__(self, values):
        self.values = Tensor(values)

    def __call__(self, x):
        return self.forward(x)

    def forward(self, x):
        return Tensor(x.data * self.values.data)

    def parameters(self):
        return [self.values]


def kind_of(layer):
    """What a layer is, in a word; of a subclass, what it is made from."""
    kinds = (QuantizedLinear, Linear, ReLU, Dropout, Gain)
    return next((kind.__name__ for kind in kinds if isinstance(layer, kind)), type(layer).__name__)


def memory_by_shape(table):
    """Stands in for layer_memory: knows the bytes of a quantized layer by the shape of its weight."""
    def memory(layer):
        before, after = table[tuple(layer.q_weight.shape)]
        return {"original_bytes": before, "quantized_bytes": after, "compression_ratio": before / after}

    return memory


def keep_floats(layer, linear_layer):
    """Stands in for store_weights: keeps the float weight, with a scale and a zero point that tell its shape."""
    layer.q_weight, layer.bias, layer.original_bytes = linear_layer.weight, linear_layer.bias, 0
    layer.weight_scale, layer.weight_zero_point = 1 / layer.in_features, layer.out_features


def note_samples(sample_inputs):
    """Stands in for calibration_range: instead of a scale, it gives what it was shown."""
    return [sample.data.copy() for sample in sample_inputs], 0


def multiply_floats(layer, x):
    """Stands in for quantized_forward: the float layer's answer."""
    product = x.data @ layer.q_weight.data
    return Tensor(product if layer.bias is None else product + layer.bias.data)

# %% [markdown]
# ### Exercise 11: `model_bytes` and `compare_model_sizes` (4 points, about 20 minutes)
#
# Quantized layers know their bytes (`memory_usage`); for all others count the arrays. Write that
# first: `model_bytes` is the one figure that this exercise and the next need most. Mind that a model may hold layers
# of other kinds that have parameters, too.

# %% nbgrader={"grade": false, "grade_id": "model_bytes", "locked": false, "schema_version": 3, "solution": true, "task": false}
#| export
def model_bytes(model: Any) -> int:
    """Bytes of all layers of a model (with `.layers`; see `flat_layers`).

    A QuantizedLinear counts with its `quantized_bytes`, that is, with its overhead; every other layer
    with the bytes of its parameters' arrays (`.data.nbytes`), of whatever kind it is.

    Hints:
        1. Which layers know their bytes themselves? What do all the others have, if they have anything?
        2. Count a model of one Linear layer by hand, then put a container around it.
    """
    ### BEGIN SOLUTION
    total = 0
    for layer in flat_layers(model):
        if isinstance(layer, QuantizedLinear):
            total += int(layer.memory_usage()["quantized_bytes"])
        else:
            total += sum(parameter.data.nbytes for parameter in parameters_of(layer))
    return total
    ### END SOLUTION


# %% nbgrader={"grade": false, "grade_id": "compare_model_sizes", "locked": false, "schema_version": 3, "solution": true, "task": false}
#| export
def compare_model_sizes(original_model: Any, quantized_model: Any) -> dict[str, float]:
    """How many parameters and bytes two models have (models with `.layers`).

    Returns a dict with
        original_params, quantized_params: number of stored parameters (elements, not bytes)
        original_bytes, quantized_bytes: as `model_bytes` counts them
        compression_ratio: original_bytes / quantized_bytes
        memory_saved_mb: the difference in MB (2**20 bytes)
        memory_saved_percent: the difference in percent of original_bytes
    """
    ### BEGIN SOLUTION
    original_bytes, quantized_bytes = model_bytes(original_model), model_bytes(quantized_model)
    saved = original_bytes - quantized_bytes

    def count(model: Any) -> int:
        return sum(parameter.data.size for layer in flat_layers(model) for parameter in parameters_of(layer))

    return {
        "original_params": count(original_model),
        "quantized_params": count(quantized_model),
        "original_bytes": original_bytes,
        "quantized_bytes": quantized_bytes,
        "compression_ratio": original_bytes / quantized_bytes,
        "memory_saved_mb": saved / BYTES_PER_MB,
        "memory_saved_percent": 100 * saved / original_bytes,
    }

    ### END SOLUTION

# %% tags=["raises-exception"] nbgrader={"grade": true, "grade_id": "test_compare_model_sizes", "locked": true, "points": 4, "schema_version": 3, "solution": false, "task": false}
first, second = np.ones((20, 30), dtype=np.float32), np.ones((30, 4), dtype=np.float32)
bias = np.zeros(30, dtype=np.float32)
original = Sequential(linear_from(first.copy(), bias.copy()), ReLU(), linear_from(second.copy()))
first_codes, second_codes = np.ones((20, 30), dtype=np.int8), np.ones((30, 4), dtype=np.int8)
quantized = Sequential(int8_layer(first_codes, 0.1, 0, bias.copy()), ReLU(), int8_layer(second_codes, 0.1, 0))
keys = ["original_params", "quantized_params", "original_bytes", "quantized_bytes"]
keys += ["compression_ratio", "memory_saved_mb", "memory_saved_percent"]
with stand_ins(layer_memory=memory_by_shape({(20, 30): (2520, 736), (30, 4): (480, 136)})):
    sizes = compare_model_sizes(original, quantized)
missing = [key for key in keys if key not in sizes]
amounts = [sizes.get(key) for key in keys]
### JUDGE
assert missing == [], f"keys are missing: {missing}"
original_params, quantized_params, original_bytes, quantized_bytes, ratio, saved_mb, saved_percent = amounts
assert original_params == 750 and quantized_params == 750, (
    f"both models store 20*30 + 30 + 30*4 = 750 numbers, got {original_params} and {quantized_params}"
)
assert original_bytes == 3000, f"750 float32 numbers are 3000 bytes, got {original_bytes}"
assert quantized_bytes == 872, f"the two layers report 736 and 136 bytes, together 872; got {quantized_bytes}"
assert np.isclose(ratio, 3000 / 872, rtol=1e-6), "compression_ratio must be original_bytes / quantized_bytes"
assert np.isclose(saved_mb, 2128 / 2**20, rtol=2e-7, atol=0), (
    "memory_saved_mb must be the difference in units of 2**20 bytes"
)
assert np.isclose(saved_percent, 100 * 2128 / 3000, rtol=2e-7, atol=0), (
    "memory_saved_percent must be the difference in percent of the original"
)
### BEGIN HIDDEN TESTS
keys = ["original_params", "quantized_params", "original_bytes", "quantized_bytes"]
keys += ["compression_ratio", "memory_saved_mb", "memory_saved_percent"]
a, b = np.ones((9, 50), dtype=np.float32), np.ones((50, 50), dtype=np.float16)
c = np.ones((50, 7), dtype=np.float32)
c_bias = np.zeros(7, dtype=np.float32)
float_inner, float_outer = linear_from(b.copy()), linear_from(c.copy(), c_bias.copy())
inner = int8_layer(np.ones((50, 50), dtype=np.int8), 0.5, 1)
outer = int8_layer(np.ones((50, 7), dtype=np.int8), 0.5, 1, c_bias.copy())
gain = Gain(np.ones(50, dtype=np.float32))
original = Sequential(linear_from(a.copy()), ReLU(), Sequential(gain, float_inner, Sequential(ReLU())), float_outer)
mixed = Sequential(linear_from(a.copy()), ReLU(), Sequential(gain, inner, Sequential(ReLU())), outer)
with stand_ins(layer_memory=memory_by_shape({(50, 50): (5000, 2516), (50, 7): (1428, 394)})):
    sizes = compare_model_sizes(original, mixed)
    same = compare_model_sizes(original, original)
    counted = [model_bytes(original), model_bytes(mixed), model_bytes(Sequential(ReLU(), gain)), model_bytes(Sequential(ReLU()))]
amounts = [sizes.get(key) for key in keys]
saved_by_nothing = [same.get(key) for key in ("compression_ratio", "memory_saved_mb", "memory_saved_percent")]
### JUDGE
original_params, quantized_params, original_bytes, quantized_bytes, ratio, saved_mb, saved_percent = amounts
count = a.size + b.size + c.size + c_bias.size + 50
assert original_params == count and quantized_params == count, (
    "all stored numbers count, in float and in quantized layers, also in layers inside a container and of other kinds"
)
before, after = 1800 + 5000 + 1428 + 200, 1800 + 2516 + 394 + 200
assert original_bytes == before, (
    "original_bytes must count every array of the original model (.nbytes), biases and layers of other kinds included"
)
assert quantized_bytes == after, (
    "quantized_bytes must add up float layers (their arrays) and quantized layers (their "
    "quantized_bytes, with overhead), also inside a container"
)
assert counted == [before, after, 200, 0], "model_bytes must count every layer that has parameters, of whatever kind"
assert np.isclose(ratio, before / after, rtol=1e-6), "compression_ratio must be original_bytes / quantized_bytes"
assert np.isclose(saved_mb, (before - after) / 2**20, rtol=2e-7, atol=0), (
    "memory_saved_mb must be the difference in units of 2**20 bytes"
)
assert np.isclose(saved_percent, 100 * (before - after) / before, rtol=2e-7, atol=0), (
    "memory_saved_percent must be the difference in percent of the original"
)
assert saved_by_nothing == [1, 0, 0], "a model compared with itself saves nothing"
### END HIDDEN TESTS

# %% [markdown]
# ### Exercise 12: `quantize_model` (8 points, about 40 minutes)
#
# Walk through the model and put a `QuantizedLinear` in the place of every `Linear`: **in place**,
# so `model` itself is quantized afterwards. (Need both? `copy.deepcopy(model)` first.) Everything
# else stays as it is.
#
# The calibration data are inputs of the *model*. A layer in the middle sees something else: what
# the layers before it make of those inputs. So take the data along: calibrate each layer with what
# arrives at it, then push the data through that layer to get what arrives at the next.
# Calibration is inference: a `Dropout` on the way must drop nothing (`training=False`).
#
# The function also returns what it did.

# %% nbgrader={"grade": false, "grade_id": "quantize_model", "locked": false, "schema_version": 3, "solution": true, "task": false}
#| export
def quantize_model(model: Any, calibration_data: list[Tensor] | None = None) -> dict[str, Any]:
    """Replace every Linear layer of a model by a QuantizedLinear, in place.

    Args:
        model: an object with a list `.layers`. A layer that has `.layers` of its own is opened too.
        calibration_data: list of Tensors, inputs of the model. Each layer is calibrated (`.calibrate`) with what
            arrives at it when nothing is dropped (Dropout with training=False). None or an empty
            list: the layers stay uncalibrated.

    Returns a dict with
        quantized_layers: {"layer_0": {"quantized": q_weight, "scale": ..., "zero_point": ...,
            "original_shape": (in, out)}, ...}; the number is the place in `.layers`, inside a
            container "layer_2.0" and so on
        original_size_mb, quantized_size_mb: `model_bytes` before and after, in MB (2**20)
        compression_ratio: the first by the second

    Raises:
        ValueError: if model has no `.layers` (a bare Linear, for example: there is nothing to
            replace it in).

    Hints:
        1. Without calibration data and without containers it is one loop. Begin with that.
        2. Carry two things along: the place in `.layers`, and the data that arrive there.
        3. For containers: what is the same question again, for a shorter list of layers?
    """
    ### BEGIN SOLUTION
    if not hasattr(model, "layers"):
        raise ValueError(f"quantize_model needs a model with .layers, got {type(model).__name__}")
    original_bytes = model_bytes(model)
    quantized_layers: dict[str, dict[str, Any]] = {}

    def replace(layers: list[Any], data: list[Tensor], prefix: str) -> list[Tensor]:
        for index, layer in enumerate(layers):
            name = f"{prefix}{index}"
            if hasattr(layer, "layers"):
                data = replace(layer.layers, data, f"{name}.")
                continue
            if isinstance(layer, Linear):
                layers[index] = quantized = QuantizedLinear(layer)
                if data:
                    quantized.calibrate(data)
                quantized_layers[name] = {
                    "quantized": quantized.q_weight,
                    "scale": quantized.weight_scale,
                    "zero_point": quantized.weight_zero_point,
                    "original_shape": quantized.q_weight.data.shape,
                }
            data = [layer(x, training=False) if isinstance(layer, Dropout) else layer(x) for x in data]
        return data

    ### EQUIVALENT a8fe2edd by models: the list is not changed
    replace(model.layers, list(calibration_data or []), "layer_")
    quantized_bytes = model_bytes(model)
    return {
        "quantized_layers": quantized_layers,
        "original_size_mb": original_bytes / BYTES_PER_MB,
        "quantized_size_mb": quantized_bytes / BYTES_PER_MB,
        "compression_ratio": original_bytes / quantized_bytes,
    }
    ### END SOLUTION

# %% tags=["raises-exception"] nbgrader={"grade": true, "grade_id": "test_quantize_model", "locked": true, "points": 8, "schema_version": 3, "solution": false, "task": false}
rng = np.random.default_rng(64)
w1, b1 = rng.normal(0, 0.4, size=(6, 16)).astype(np.float32), rng.normal(0, 0.1, size=16).astype(np.float32)
w2, b2 = rng.normal(0, 0.4, size=(16, 3)).astype(np.float32), np.array([1.0, -1.0, 0.5], dtype=np.float32)
x = rng.normal(0, 1, size=(40, 6)).astype(np.float32)
model = Sequential(linear_from(w1.copy(), b1.copy()), ReLU(), Dropout(0.5), linear_from(w2.copy(), b2.copy()))
parts = {
    "store_weights": keep_floats, "calibration_range": note_samples, "quantized_forward": multiply_floats,
    "layer_memory": memory_by_shape({(6, 16): (448, 176), (16, 3): (204, 76)}),
    "model_bytes": lambda model: 652 if any(isinstance(layer, Linear) for layer in model.layers) else 252,
}
with stand_ins(**parts):
    info = quantize_model(model, [Tensor(x[:20].copy()), Tensor(x[20:].copy())])
kinds = [kind_of(layer) for layer in model.layers]
int8_layers = [layer for layer in model.layers if isinstance(layer, QuantizedLinear)]
arrived = [layer.input_scale if isinstance(layer.input_scale, list) else None for layer in int8_layers]
held = [array_in(layer.q_weight) for layer in int8_layers]
names = sorted(info["quantized_layers"])
sizes = [info["original_size_mb"], info["quantized_size_mb"], info["compression_ratio"]]
### JUDGE
assert kinds == ["QuantizedLinear", "ReLU", "Dropout", "QuantizedLinear"], (
    f"both Linear layers must be replaced in model.layers and the others kept, got {kinds}"
)
for weight, values in zip((w1, w2), held, strict=True):
    assert values is not None and np.array_equal(values, weight), (
        "each quantized layer must be made of the float layer that stood in its place"
    )
assert names == ["layer_0", "layer_3"], f"quantized_layers must name layer_0 and layer_3, got {names}"
assert len(sizes) == 3 and np.isclose(sizes[0], 652 / 2**20, rtol=2e-7, atol=0), (
    f"the float model has 652 bytes, so original_size_mb is 652 / 2**20, got {sizes[0]}"
)
assert np.isclose(sizes[1], 252 / 2**20, rtol=2e-7, atol=0), (
    f"the quantized model has 252 bytes, so quantized_size_mb is 252 / 2**20, got {sizes[1]}"
)
assert np.isclose(sizes[2], 652 / 252, rtol=1e-6), "compression_ratio must be the size before by the size after"
first, last = arrived
assert first is not None and last is not None, (
    "with calibration data, `.calibrate` of every quantized layer must be called"
)
assert sum(len(batch) for batch in first) == 40 and np.allclose(np.concatenate(first), x, atol=1e-5), (
    "the first layer must be calibrated with the data itself"
)
hidden = np.maximum(x @ w1 + b1, 0)
assert sum(len(batch) for batch in last) == 40 and np.shape(np.concatenate(last)) == (40, 16), (
    "the last layer must be calibrated with all the data, and with what arrives at it: 16 values a row"
)
assert np.allclose(np.concatenate(last), hidden, atol=1e-4), (
    "the last layer must be calibrated with what comes out of the ReLU, and nothing dropped on the way"
)
### BEGIN HIDDEN TESTS
rng = np.random.default_rng(1609)
w1, b1 = (30 * rng.normal(0, 0.3, size=(7, 20))).astype(np.float32), rng.normal(0, 5, size=20).astype(np.float32)
w2, b2 = rng.normal(0, 0.3, size=(20, 12)).astype(np.float32), rng.normal(0, 5, size=12).astype(np.float32)
w3 = rng.normal(0.05, 0.3, size=(12, 4)).astype(np.float32)
gains = rng.uniform(0.5, 2.0, size=12).astype(np.float32)
x = rng.normal(0.2, 1, size=(60, 7)).astype(np.float32)
block = Sequential(linear_from(w2.copy(), b2.copy()), ReLU(), Sequential(Gain(gains.copy())))
model = Sequential(linear_from(w1.copy(), b1.copy()), ReLU(), Dropout(0.5), block, linear_from(w3.copy()))
parts = {
    "store_weights": keep_floats, "calibration_range": note_samples, "quantized_forward": multiply_floats,
    "layer_memory": memory_by_shape({(7, 20): (640, 236), (20, 12): (1008, 304), (12, 4): (192, 64)}),
    "model_bytes": lambda model: 1888 if any(isinstance(layer, Linear) for layer in flat_layers(model)) else 652,
}
data = [Tensor(x[:25].copy()), Tensor(x[25:].copy())]
plain = Sequential(ReLU(), linear_from(w3.copy()), ReLU())
empty = Sequential(linear_from(w3.copy()))
single = Sequential(linear_from(w1.copy()))
with stand_ins(**parts):
    info = quantize_model(model, data)
    plain_info, empty_info = quantize_model(plain), quantize_model(empty, [])
    single_info = quantize_model(single, [Tensor(x[:1].copy())])
    refused = [refusal(quantize_model, linear_from(w3.copy())), refusal(quantize_model, ReLU())]
layers = [*model.layers[:3], *model.layers[3].layers[:2], *model.layers[3].layers[2].layers, model.layers[4]]
in_words = " ".join(kind_of(layer) for layer in layers)
int8_layers = [layer for layer in layers if isinstance(layer, QuantizedLinear)]
arrived = [layer.input_scale if isinstance(layer.input_scale, list) else None for layer in int8_layers]
held = [array_in(layer.q_weight) for layer in int8_layers]
held_biases = [array_in(layer.bias) for layer in int8_layers]
names = sorted(info["quantized_layers"])
entries = [info["quantized_layers"].get(name, {}) for name in ("layer_0", "layer_3.0", "layer_4")]
entry_codes = [array_in(entry.get("quantized")) for entry in entries]
entry_scales = [(entry.get("scale"), entry.get("zero_point")) for entry in entries]
entry_shapes = [tuple(entry.get("original_shape", ())) for entry in entries]
sizes = [info["original_size_mb"], info["quantized_size_mb"], info["compression_ratio"]]
single_arrived = np.asarray(single.layers[0].input_scale, dtype=np.float64)
data_after = [len(data), *(tensor.data.shape for tensor in data)]
plain_kinds = [kind_of(layer) for layer in [*plain.layers, *empty.layers]]
plain_ranges = [(layer.input_scale, layer.input_zero_point) for layer in (plain.layers[1], empty.layers[0])]
plain_names = list(plain_info["quantized_layers"]) + list(empty_info["quantized_layers"])
### JUDGE
assert in_words == "QuantizedLinear ReLU Dropout QuantizedLinear ReLU Gain QuantizedLinear", (
    "every Linear layer must be replaced, the last one and those inside a container too, and nothing "
    "else"
)
for weight, bias, values, held_bias in zip([w1, w2, w3], [b1, b2, None], held, held_biases, strict=True):
    assert isinstance(values, np.ndarray) and np.array_equal(values, weight), (
        "each quantized layer must be made of the float layer that stood in its place"
    )
    same = held_bias is None if bias is None else held_bias is not None and np.array_equal(held_bias, bias)
    assert same, "each quantized layer must hold the bias of the layer that stood in its place"
assert names == ["layer_0", "layer_3.0", "layer_4"], (
    "quantized_layers must have one entry per replaced layer, named by its place: inside a container layer_3.0 and so on"
)
assert entry_shapes == [(7, 20), (20, 12), (12, 4)], "original_shape must be the shape of the layer's weight"
for weight, codes, (scale, zero_point) in zip([w1, w2, w3], entry_codes, entry_scales, strict=True):
    assert isinstance(codes, np.ndarray) and np.array_equal(codes, weight), (
        "the entries of quantized_layers must hold the codes of the replaced layers, as Tensors"
    )
    assert np.isclose(float(scale), 1 / weight.shape[0], rtol=1e-6) and zero_point == weight.shape[1], (
        "the entries of quantized_layers must hold weight_scale and weight_zero_point of the replaced layers"
    )
assert len(sizes) == 3 and np.isclose(sizes[0], 1888 / 2**20, rtol=2e-7, atol=0), (
    "original_size_mb must be the bytes of the whole float model"
)
assert np.isclose(sizes[1], 652 / 2**20, rtol=2e-7, atol=0), (
    "quantized_size_mb must be the bytes of the whole quantized model, overhead included"
)
assert np.isclose(sizes[2], 1888 / 652, rtol=1e-6), "compression_ratio must be the size before by the size after"
h1 = np.maximum(x @ w1 + b1, 0)
h2 = np.maximum(h1 @ w2 + b2, 0) * gains
for batches, wanted in zip(arrived, (x, h1, h2), strict=True):
    assert batches is not None, "with calibration data every quantized layer must be calibrated"
    assert sum(len(batch) for batch in batches) == 60, "each layer must be calibrated once, with all the calibration data"
    rows = np.concatenate(batches)
    assert rows.shape == wanted.shape and np.allclose(rows, wanted, rtol=1e-4, atol=1e-3), (
        "each layer must be calibrated with the inputs that arrive at it, over all the calibration data, nothing dropped"
    )
assert single_arrived.shape == (1, 1, 7) and np.allclose(single_arrived[0, 0], x[0]), (
    "a single batch of a single row is calibration data, too"
)
assert data_after == [2, (25, 7), (35, 7)], "the list of calibration data must not be changed"
assert plain_kinds == ["ReLU", "QuantizedLinear", "ReLU", "QuantizedLinear"] and plain_names == ["layer_1", "layer_0"], (
    "without calibration data the layers must be replaced as well, and named by their place"
)
assert plain_ranges == [(None, None)] * 2, "without calibration data, or with an empty list, the layers must stay uncalibrated"
assert refused == ["ValueError", "ValueError"], "a bare Linear, or anything without .layers, must raise a ValueError"
### END HIDDEN TESTS

# %% [markdown]
# ### Names that other code uses
#
# Given, not graded: the same functions under the names that the rest of the course knows.

# %% nbgrader={"grade": false, "grade_id": "quantization_complete", "locked": true, "schema_version": 3, "solution": false, "task": false}
#| export
class QuantizationComplete:
    """The functions of this module under one name."""

    @staticmethod
    def quantize_tensor(tensor: Tensor) -> tuple[Tensor, float, int]:
        """`quantize_int8`."""
        return quantize_int8(tensor)

    @staticmethod
    def dequantize_tensor(q_tensor: Tensor, scale: float, zero_point: int) -> Tensor:
        """`dequantize_int8`."""
        return dequantize_int8(q_tensor, scale, zero_point)

    @staticmethod
    def quantize_model(model: Any, calibration_data: list[Tensor] | None = None) -> dict[str, Any]:
        """The function `quantize_model`: in place, and what it did."""
        return quantize_model(model, calibration_data)

    @staticmethod
    def compare_models(original_model: Any, quantized_info: dict[str, Any]) -> dict[str, float]:
        """Sizes in MB: the original model measured, the quantized one as `quantize_model` reported it."""
        original_mb = model_bytes(original_model) / BYTES_PER_MB
        quantized_mb = float(quantized_info["quantized_size_mb"])
        return {
            "original_mb": original_mb,
            "quantized_mb": quantized_mb,
            "compression_ratio": original_mb / quantized_mb,
            "memory_saved_mb": original_mb - quantized_mb,
        }


Quantizer = QuantizationComplete

# %% [markdown]
# ## 5. Validate: what did it save, what did it cost?
#
# From here on everything is yours, put together. If a cell stops, look at the exercise that its error names.
#
# ### 5.1 The measurement of part 1, on your models
#
# The same function, the same widths, the same budgets. Only the models are now yours.
#
# **Predict before you run.** Will the ratio be the same in every row?

# %% tags=["validate", "raises-exception"]
# Validate: the same models, quantized.
def quantized_two_layer_model(width):
    model = two_layer_model(width)
    quantize_model(model)
    return model


int8_rows = measure_widths(quantized_two_layer_model)
int8_slope, _ = fitted_bytes_per_parameter(int8_rows)
print(f"{'width':>6} {'FP32 MB':>9} {'INT8 MB':>9} {'ratio':>7}")
for before, after in zip(fp32_rows, int8_rows):
    before_mb, after_mb = before["bytes"] / BYTES_PER_MB, after["bytes"] / BYTES_PER_MB
    print(f"{before['width']:>6} {before_mb:>9.3f} {after_mb:>9.3f} {before_mb / after_mb:>7.2f}")
print(f"\nfit: {slope:.3f} bytes per parameter before, {int8_slope:.3f} after")
for device, budget in BUDGETS_MB.items():
    for label, rows in (("FP32", fp32_rows), ("INT8", int8_rows)):
        width = first_width_over(rows, budget)
        verdict = f"broken from width {width} on" if width else "not broken by any of these widths"
        print(f"{device:<16} {budget:>6.3g} MB  {label}  {verdict}")

# %% tags=["validate", "raises-exception"] jupyter={"source_hidden": true}
# Validate: the picture.
plot_widths({"FP32": fp32_rows, "INT8": int8_rows})

# %% [markdown]
# What is left in float, and why does it matter less and less as the layers grow?
#
# ### 5.2 The two readers
#
# Both are quantized, calibrated with the images that they were trained on, and read the 359 test digits.
#
# **Predict before you run.** The two have the same layers, so the same bytes. How much accuracy does each lose? Look at
# 1.3 again before you write down two numbers.

# %% tags=["validate", "raises-exception"]
# Validate: bytes and accuracy of both readers.
sensor_bytes = BUDGETS_MB["sensor chip"] * BYTES_PER_MB
INT8_READERS = {}
for name, reader in READERS.items():
    INT8_READERS[name] = copy.deepcopy(reader)
    quantize_model(INT8_READERS[name], [Tensor(pixels)])
    exact, rounded = outputs_of(reader), outputs_of(INT8_READERS[name])
    sizes = compare_model_sizes(reader, INT8_READERS[name])
    agree = np.mean(exact.argmax(axis=1) == rounded.argmax(axis=1))
    before, after = sizes["original_bytes"], sizes["quantized_bytes"]
    print(f"{name} reader: {before:,} bytes -> {after:,}, ratio {sizes['compression_ratio']:.2f}; "
          f"the sensor chip has room for {sensor_bytes:,.0f}")
    print(f"    accuracy {accuracy(reader):.1%} -> {accuracy(INT8_READERS[name]):.1%}, "
          f"{len(new_labels) * (accuracy(reader) - accuracy(INT8_READERS[name])):.0f} digits fewer")
    print(f"    same answer on {agree:.1%} of the digits; outputs moved by {moved(rounded, exact):.1%}")

# %% tags=["validate", "raises-exception"] jupyter={"source_hidden": true}
# Validate: digits that the standardised reader read rightly before, and misreads now.
plt = pyplot()
if plt:
    right = outputs_of(READERS["standardised"]).argmax(axis=1) == new_labels
    guesses = outputs_of(INT8_READERS["standardised"]).argmax(axis=1)
    lost = np.flatnonzero(right & (guesses != new_labels))[:8]
    figure, axes = plt.subplots(1, 8, figsize=(9, 1.6))
    for axis in axes:
        axis.axis("off")
    for axis, which in zip(axes, lost):
        axis.imshow(new_pixels[which].reshape(8, 8), cmap="gray_r")
        axis.set_title(f"{new_labels[which]}: now {guesses[which]}", fontsize=8)
    figure.tight_layout()
    plt.show()

# %% [markdown]
# ### 5.3 Where it comes from, and what a scale per column does
#
# The first layer has a row of weights for each pixel and a column for each hidden unit. The next cell asks which rows hold the
# largest weights, and how often those pixels are inked at all. Then it stores this one layer's weights in INT8, with one scale or
# with one per column (your `quantize_per_channel`), and leaves everything else in float32. So what is lost is
# lost by the weights alone.
#
# **Predict before you run.** In which of the two readers is the largest weight of a row related to how often its pixel is inked?
# And what do 32 more scales and zero points cost in bytes?

# %% tags=["validate", "raises-exception"]
# Validate: the largest weights, and weights with one scale or many.
inked = np.mean(pixels > 0, axis=0)
for name, reader in READERS.items():
    weight = reader.layers[0].weight.data
    largest = np.abs(weight).max(axis=1)
    top = np.argsort(largest)[::-1][:5]
    print(f"{name} reader, first layer: half of all weights are smaller than {np.median(np.abs(weight)):.3f}, "
          f"the largest is {largest.max():.1f}")
    print("    its five largest rows belong to pixels that are inked in "
          + ", ".join(f"{share:.1%}" for share in inked[top]) + " of the images")
    ranges = np.ptp(weight, axis=0)
    print(f"    the widest column spans {ranges.max() / ranges.min():.1f} times as much as the narrowest")


def with_first_weight(reader, weight):
    changed = copy.deepcopy(reader)
    changed.layers[0].weight.data = weight.astype(np.float32)
    return changed


column_results = {}
print(f"\n{'first layer in INT8':<34} {'accuracy':>9} {'outputs moved':>14} {'bytes of it':>12}")
for name, reader in READERS.items():
    weight = reader.layers[0].weight
    codes, scale, zero_point = quantize_int8(weight)
    column_codes, scales, zero_points = quantize_per_channel(weight)
    stored = {
        "float32": (weight.data, weight.data.nbytes),
        "one scale": (dequantize_int8(codes, scale, zero_point).data, codes.nbytes + 8),
        "one per column": (
            scales * (column_codes.data.astype(np.float64) - zero_points), column_codes.nbytes + 8 * len(scales)
        ),
    }
    for label, (values, size) in stored.items():
        changed = with_first_weight(reader, values)
        column_results[name, label] = moved(outputs_of(changed), outputs_of(reader))
        print(f"{name + ', ' + label:<34} {accuracy(changed):>9.1%} {column_results[name, label]:>14.2%} {size:>12,}")
for name in READERS:
    times = column_results[name, "one scale"] / column_results[name, "one per column"]
    print(f"{name}: with one scale the outputs move {times:.1f} times as far as with one per column")

# %% tags=["validate", "raises-exception"] jupyter={"source_hidden": true}
# Validate: the picture.
plt = pyplot()
if plt:
    figure, axes = plt.subplots(1, 3, figsize=(9, 2.9))
    pictures = {"share of images with ink": inked}
    for name, reader in READERS.items():
        pictures[f"largest weight, {name}"] = np.abs(reader.layers[0].weight.data).max(axis=1)
    for axis, (title, values) in zip(axes, pictures.items()):
        shown = axis.imshow(values.reshape(8, 8), cmap="viridis")
        axis.set_title(title, fontsize=9)
        axis.set_xticks([])
        axis.set_yticks([])
        figure.colorbar(shown, ax=axis, shrink=0.8)
    figure.tight_layout()
    plt.show()

# %% [markdown]
# Folding divides the weights of a pixel by its spread. A pixel that is hardly ever inked has next to no spread, so its weights become
# huge, and they matter for a few images only, or for none. But they set the scale. One scale for the whole tensor makes all columns pay;
# one per column makes those pay that have such weights. Neither looks at *why* a weight is large: further
# exercise 1 does.
#
# ### 5.4 Calibration, taken away piece by piece
#
# The plain reader again, all of it in INT8, each time with other calibration data. The last column is the share of the
# test pixels that lie outside the first layer's calibrated range, that is, saturate.
#
# **Predict before you run.** Which row will be worst? Which rows read as well as the first?

# %% tags=["validate", "raises-exception"]
# Validate: one reader, five calibrations.
with_outlier = pixels.copy()
with_outlier[0, 0] = 60.0
calibrations = {
    "all training images": [Tensor(pixels)],
    "ten training images": [Tensor(pixels[:10])],
    "too narrow (pixels / 8)": [Tensor(pixels / 8)],
    "one outlier of 60": [Tensor(with_outlier)],
    "none (dynamic)": None,
}
plain_outputs = outputs_of(READERS["plain"])
calibration_results = {}
print(f"{'calibration data':<26} {'accuracy':>9} {'outputs moved':>14} {'outside':>9}")
for label, data in calibrations.items():
    model = copy.deepcopy(READERS["plain"])
    quantize_model(model, data)
    first = model.layers[0]
    outside = 0.0
    if first.input_scale is not None:
        reach = first.input_scale * (np.array([-128, 127]) - first.input_zero_point)
        slack = first.input_scale / 2
        outside = np.mean((new_pixels < reach[0] - slack) | (new_pixels > reach[1] + slack))
    calibration_results[label] = moved(outputs_of(model), plain_outputs)
    print(f"{label:<26} {accuracy(model):>9.1%} {calibration_results[label]:>14.2%} {outside:>9.2%}")
best = min(calibration_results, key=calibration_results.get)
worst = max(calibration_results, key=calibration_results.get)
times = calibration_results[worst] / calibration_results[best]
print(f"\nleast moved: {best};  most moved: {worst}, {times:.0f} times as much")

# %% [markdown]
# ### 5.5 And the time?
#
# INT8 is often called faster. Measure before you repeat it: the two layers take turns, so that
# both meet the same conditions.
#
# **Predict before you run.** Which of the two takes longer on this computer, with numpy, and how many times as long?

# %% tags=["validate", "raises-exception"]
# Validate: two layers take turns.
def interleaved_ms(first, second, x, rounds=15):
    """Median milliseconds of two layers that take turns on the same input."""
    spent = ([], [])
    for _ in range(rounds + 2):
        for layer, times in zip((first, second), spent):
            start = time.perf_counter()
            layer.forward(x)
            times.append(1000 * (time.perf_counter() - start))
    return [float(np.median(times[2:])) for times in spent]


rng = np.random.default_rng(3)
float_layer = linear_from(rng.normal(0, 0.05, size=(256, 256)).astype(np.float32), np.zeros(256, np.float32))
quantized = QuantizedLinear(float_layer)
batch = Tensor(rng.normal(0, 1, size=(64, 256)).astype(np.float32))
quantized.calibrate([batch])
float_ms, int8_ms = interleaved_ms(float_layer, quantized, batch)
longer, shorter = ("INT8", "FP32") if int8_ms > float_ms else ("FP32", "INT8")
ratio = max(int8_ms, float_ms) / min(int8_ms, float_ms)
print(f"FP32 {float_ms:.3f} ms, INT8 {int8_ms:.3f} ms per batch of 64: "
      f"{longer} takes {ratio:.1f} times as long as {shorter}, here and now")

copied = quantized.q_weight.data.astype(np.int32).nbytes / float_layer.weight.data.nbytes
print(f"an INT32 copy of the codes, made for the product, takes {copied:.1f} times the bytes of the FP32 weight")

# %% [markdown]
# Run the cell a few times: does the same one take longer each time?
#
# What lies below your code: for float32, numpy hands `@` to a BLAS library, which uses the
# processor's vector units and caches. For integers it has no such library: `@` runs numpy's
# own plain loop. And the codes are first copied to INT32, because numpy has no product that takes
# INT8 and accumulates in INT32. Processors do have such instructions, and libraries that use them
# exist. Which of this shows in *your* figure is for you to say, in question 2.
#
# ## 6. Two questions to answer in writing
#
# Use figures from your own notebook. Half a page each is enough.

# %% [markdown] nbgrader={"grade": false, "grade_id": "task_calibration", "locked": true, "points": 10, "schema_version": 3, "solution": false, "task": true}
# **Question 1 (10 points, about 30 minutes): choosing a range.**
# Section 5.4 calibrates one model in five ways.
#
# a) Compare "too narrow" and "one outlier": for each, say what happens to the codes, which of the
# two kinds of error (rounding or saturation) dominates, and give the figure that shows it.
#
# b) A colleague proposes to calibrate with the 0.1th and the 99.9th percentile of
# the samples instead of the smallest and the largest value. For which of the two cases does that help, what does it give up, and
# how would you decide, by measuring, whether to use it?
#
# === BEGIN MARK SCHEME ===
# a) 6 points, 3 per case: the mechanism (1), the kind of error (1), a figure from the notebook (1).
# Too narrow: the range is too small, values beyond it saturate at the end codes; the
# step is fine but large values are cut; the share outside and the moved outputs show it.
# Outlier: the range and so the scale grow by the factor of the outlier; ordinary values share a few codes;
# rounding error dominates, nothing saturates; the moved outputs (or the last row of the table in part 2) show it.
#
# b) 4 points: helps against the outlier (1), not against samples that are not representative, since a percentile of
# narrow samples is narrower still (1); gives up the exact representation of the values beyond the
# percentiles, they saturate (1); decide on held-out data by the error of the outputs or the accuracy with
# both ranges, not on the calibration samples' own rounding error (1).
# === END MARK SCHEME ===

# %% [markdown]
# *Your answer:*

# %% [markdown] nbgrader={"grade": false, "grade_id": "task_deployment", "locked": true, "points": 10, "schema_version": 3, "solution": false, "task": true}
# **Question 2 (10 points, about 30 minutes): is it worth it?**
# Your team wants to put the two readers of section 1.1 and a model of two layers of width 2048 on the devices of
# section 1.2.
#
# a) For a reader and for the wide model: what does INT8 change about where they fit? Give bytes, and say what the ratio is made
# of (weights, bias, overhead), and why it differs between the two.
#
# b) Someone writes in the release notes "quantized, therefore four times faster". Correct the sentence with
# your measurements: what did you measure, in which direction does it go, and what of what lies below your code (5.5) explains it?
# What would have to be true of hardware and library for the sentence to hold?
#
# c) You may ship one reader. Which one, stored how, and by which of your figures? Name the measurement that would change your mind.
#
# === BEGIN MARK SCHEME ===
# a) 4 points: a reader as measured in 5.2, above the sensor chip's 4 KB before and below it after, or what their own budgets say (1);
# width 2048 as measured in 5.1, with the budgets it meets and breaks before and after (1); ratio made of 1 byte per weight, 4 per bias
# element and 16 per layer of overhead (1); so it is below 4 for small layers and approaches 4 as width grows, since weights grow with the
# square of the width and biases linearly (1).
#
# b) 4 points: two times of their own, or the ratio, in the direction in which they went (1); a mechanism of 5.5 that fits this
# direction (BLAS for float32, a plain loop for integers, the copy to INT32; or, where INT8 took less time, less memory to read, or another
# numpy build), or the reasoning that one run on a busy machine does not decide it, with figures of several runs (1); needed:
# instructions that multiply INT8 and accumulate in INT32 and a library that uses them (1); less memory traffic helps only where the
# layer is bound by memory, or an equally sound condition (1). Which way the figure goes is not scored.
#
# c) 2 points: a choice that fits the answer's own figures of 5.2 and 5.3, accuracy and bytes (1), for example the plain reader with
# one scale, or the standardised one with a scale per column; a measurement that would decide otherwise: accuracy on
# held-out digits of another writer, the first layer per column inside the whole INT8 model, the bytes of the scales (1).
# === END MARK SCHEME ===

# %% [markdown]
# *Your answer:*

# %% [markdown]
# ## Summary
#
# - An affine code is a scale and a zero point. Zero is exact, the error inside the range is at most half a step, and what lies outside
#   saturates.
# - One extreme value sets the scale for everyone that shares it. A scale per column makes fewer share.
# - A product of codes is a product of values only with its correction terms, added up in INT32, exactly.
# - Inputs need a range before they are there: calibration data decide what saturates and what is coarse.
# - Bytes are counted from arrays, overhead included. Accuracy is measured on digits that nobody trained on. Time is measured, too, and
#   belongs to the machine and the library.
#
# **Further exercises** (not graded)
#
# 1. Set the weights of pixels that no training image inks to zero before you quantize the standardised reader. What does that
#    change in float32, what in INT8, and why?
# 2. Let `quantized_forward` use a scale per column: which of the four terms in 3.1 changes its shape?
# 3. Store the bias in INT32 with the scale $s_x s_w$, and fold $-z_x$ times the column sums into it. Which float numbers
#    are left in the layer?
# 4. Calibrate with percentiles (question 1b), and draw accuracy against the percentile.
# 5. The layer behind a ReLU gets no negative inputs. Which codes does it waste, and why does no ReLU have to be computed if the range of the
#    layer before it is cut at zero?
#
# **References**
#
# - B. Jacob et al., Quantization and Training of Neural Networks for Efficient Integer-Arithmetic-Only Inference, arXiv:1712.05877:
#   the affine scheme, its four terms, and further exercise 3.
# - R. Krishnamoorthi, Quantizing deep convolutional networks for efficient inference: A whitepaper, arXiv:1806.08342: per-channel weights.
# - M. Nagel et al., Data-Free Quantization Through Weight Equalization and Bias Correction, arXiv:1906.04721: what folding does to the
#   ranges of weights, and a way to even them out.
# - T. Dettmers et al., LLM.int8(), arXiv:2208.07339: a few huge values, in models of many billion parameters.
# - E. Alpaydin and C. Kaynak, Optical Recognition of Handwritten Digits, UCI Machine Learning Repository, 1998.
#
# **What comes next.** You have made each parameter smaller and kept all of them. Module 17 asks the other question:
# how many of them are needed at all?
