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
# that saves, how much accuracy it costs, and whether it makes anything faster here.
#
# The path is the same as in the other optimization modules:
#
# | step | question | where |
# |---|---|---|
# | Profile | how much memory do FP32 models take as they grow? | part 1 |
# | Discover | how many distinct values does a weight really need? | part 1 |
# | Implement | how do integers stand for real numbers, and how do you multiply them? | parts 2 to 4 |
# | Validate | the measurement of part 1 again, on your own quantized models | part 5 |
#
# **When you are done you can**
#
# 1. derive scale and zero point of an affine INT8 code, and say why zero must be exact;
# 2. bound the rounding error and recognise saturation;
# 3. multiply INT8 matrices with INT32 accumulation and correct for the zero points;
# 4. calibrate a layer with sample inputs and say what a bad calibration does;
# 5. count bytes honestly, and tell apart what quantization improves and what it does not.
#
# **What you need.** `Tensor` (module 01), `Linear` and `Sequential` (03), `ReLU` (02) and the
# `Profiler` (14). Gradients play no part: quantization here happens after training.
#
# **Where the code goes.** Cells that begin with `#| export` become
# `tinytorch.optimization.quantization` when the module is exported.
#
# **How it is graded.** 80 points by tests, 20 for two written answers. Each test cell that you
# see holds a few checks; when it is graded, further checks run on other inputs. The cells
# tagged as warm-up are never graded: run them, change them, break them.
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
from tinytorch.profiling.profiler import Profiler


def linear_from(weight, bias=None):
    """A float Linear layer that holds exactly these numbers: weight (in, out), bias (out,) or None."""
    layer = Linear(weight.shape[0], weight.shape[1], bias=bias is not None)
    layer.weight.data = weight
    if bias is not None:
        layer.bias.data = bias
    return layer


# %% [markdown]
# ## 1. Warm-up: profile FP32 models, and discover what the numbers need
#
# ### 1.1 How memory grows with width
#
# The next cell builds models of two square layers, from narrow to wide, and asks the profiler
# of module 14 what their parameters occupy.

# %% tags=["warmup"]
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
# them to your own device and run the cell again; the conclusions are computed.

# %% tags=["warmup"]
BUDGETS_MB = {"microcontroller": 0.25, "earbud or watch": 3.0, "phone, one app": 16.0}


def first_width_over(rows, budget_mb):
    """The smallest measured width whose parameters exceed the budget, or None."""
    too_big = [row["width"] for row in rows if row["bytes"] > budget_mb * BYTES_PER_MB]
    return min(too_big) if too_big else None


for device, budget in BUDGETS_MB.items():
    width = first_width_over(fp32_rows, budget)
    limit = round(budget * BYTES_PER_MB / slope)
    verdict = f"broken from width {width} on" if width else "not broken by any of these widths"
    print(f"{device:<16} {budget:>6g} MB   room for about {limit:>10,} FP32 parameters   {verdict}")

# %% tags=["warmup"]
import matplotlib.pyplot as plt


def plot_widths(series):
    """Parameter memory against width, with the budgets as horizontal lines. series: label -> rows."""
    figure, axis = plt.subplots(figsize=(6.5, 3.8))
    for label, rows in series.items():
        axis.loglog([r["width"] for r in rows], [r["bytes"] / BYTES_PER_MB for r in rows], "o-", label=label)
    for device, budget in BUDGETS_MB.items():
        axis.axhline(budget, color="0.6", linewidth=1, linestyle="--")
        axis.text(WIDTHS[0], budget * 1.1, device, color="0.35", fontsize=8)
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
# ### 1.2 How many distinct values does a weight need?
#
# 32 bits can tell billions of values apart. The next cell lets every weight of one layer take
# only $2^b$ evenly spaced values, $b$ bits each, and measures how far the layer's outputs move.

# %% tags=["warmup"]
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
    moved = inputs @ round_to_levels(weights, bits)
    level_error[bits] = float(np.linalg.norm(moved - exact_outputs) / np.linalg.norm(exact_outputs))

print(f"{'bits':>5} {'levels':>7} {'change of the outputs':>23}")
for bits, error in level_error.items():
    print(f"{bits:>5} {2**bits:>7} {error:>22.3%}")

ratios = [level_error[b] / level_error[b + 1] for b in range(4, 12)]
print(f"\nfrom 4 bits on, each further bit divides the error by {np.mean(ratios):.2f} on average")
for tolerance in (0.10, 0.02, 0.005):
    enough = min(bits for bits, error in level_error.items() if error < tolerance)
    print(f"to move the outputs by less than {tolerance:.1%}, {enough} bits are enough here")

# %% tags=["warmup"]
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
# measures whether that was good enough for a model.
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
# zero point rounded, once without rounding.

# %% tags=["warmup"]
low, high, levels = -1.0, 2.0, 8
step = (high - low) / (levels - 1)
rounded_zero = np.rint(-low / step)
rows = {
    "zero point rounded": step * (np.arange(levels) - rounded_zero),
    "not rounded": low + step * np.arange(levels),
}
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
# ### Exercise 1: `affine_parameters`

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
        1. Widen the range so that it contains 0.
        2. Only a range of exactly zero width is special.
        3. `float(...)` first: float32 arithmetic would cost you digits.
    """
    ### BEGIN SOLUTION
    low, high = min(float(low), 0.0), max(float(high), 0.0)
    if low == high:
        return 1.0, 0
    scale = (high - low) / (INT8_MAX - INT8_MIN)
    zero_point = round(INT8_MIN - low / scale)
    return scale, zero_point
    ### END SOLUTION

# %% nbgrader={"grade": true, "grade_id": "test_affine_parameters", "locked": true, "points": 10, "schema_version": 3, "solution": false, "task": false}
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
    (-4.0, -4.0), (0.0, 4.0), (-4.0, 0.0), (-1.0, 1.0), (-2e-9, 5e-9), (-3e4, 9e4),
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
    assert abs(scale - want_scale) <= 1e-6 * want_scale, (
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

# %% tags=["warmup"]
steps = np.array([126.0, 127.0, 128.0, 129.0])
print("codes wanted      ", steps)
print("converted directly", steps.astype(np.int16).astype(np.int8))
print("clipped first     ", np.clip(steps, -128, 127).astype(np.int8))

# %% [markdown]
# ### Exercise 2: `to_codes`
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

    Hint: round, shift, clip, convert; in this order.
    """
    ### BEGIN SOLUTION
    steps = np.rint(np.asarray(values, dtype=np.float64) / scale) + zero_point
    codes: np.ndarray = np.clip(steps, INT8_MIN, INT8_MAX).astype(np.int8)
    return codes
    ### END SOLUTION

# %% nbgrader={"grade": true, "grade_id": "test_to_codes", "locked": true, "points": 8, "schema_version": 3, "solution": false, "task": false}
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
# ### Exercise 3: `quantize_int8`
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
    """
    ### BEGIN SOLUTION
    scale, zero_point = affine_parameters(tensor.data.min(), tensor.data.max())
    return Tensor(to_codes(tensor.data, scale, zero_point)), scale, zero_point
    ### END SOLUTION

# %% nbgrader={"grade": true, "grade_id": "test_quantize_int8", "locked": true, "points": 8, "schema_version": 3, "solution": false, "task": false}
x = np.linspace(-3, 5, 257, dtype=np.float32)
q, scale, zero_point = quantize_int8(Tensor(x.copy()))
codes = q.data if isinstance(q, Tensor) else None
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
answers = [quantize_int8(Tensor(values.copy())) for values in tensors]
all_codes = [answer[0].data if isinstance(answer[0], Tensor) else None for answer in answers]
all_scales = [answer[1] for answer in answers]
all_zero_points = [answer[2] for answer in answers]
zero_codes, zero_scale, zero_zero_point = quantize_int8(Tensor(np.zeros((2, 3), dtype=np.float32)))
zero_type = zero_codes.data.dtype.name
zero_values = zero_scale * (zero_codes.data.astype(np.float64) - zero_zero_point)
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
    assert np.isfinite(scale) and abs(scale - want_scale) <= 1e-5 * want_scale, (
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
### END HIDDEN TESTS

# %% [markdown]
# ### Exercise 4: `dequantize_int8`
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
    """
    ### BEGIN SOLUTION
    return Tensor(scale * (q_tensor.data.astype(np.float32) - zero_point))
    ### END SOLUTION

# %% nbgrader={"grade": true, "grade_id": "test_dequantize_int8", "locked": true, "points": 6, "schema_version": 3, "solution": false, "task": false}
codes = np.array([-128, -43, 0, 127], dtype=np.int8)
restored = dequantize_int8(Tensor(codes.copy()), 3 / 255, -43)
values = restored.data
### JUDGE
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
values = dequantize_int8(Tensor(codes.copy()), 0.0173, 31).data
low_end = dequantize_int8(Tensor(every_code.copy()), 0.25, -128).data
high_end = dequantize_int8(Tensor(every_code.copy()), 0.25, 127).data
handed = Tensor(codes.copy())
first_values = dequantize_int8(handed, 2.0, 5).data
again_values = dequantize_int8(handed, 2.0, 5).data
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
# several kinds, with your own functions.

# %% tags=["validate"]
def round_trip_error(values):
    """Largest |value - restored| in steps of the scale, with the student's functions."""
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
#
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

# %% tags=["warmup"]
a = np.array([100, 100], dtype=np.int8)
print("int8 @ int8        ", a @ a, " type", (a @ a).dtype)
print("int32 @ int32      ", a.astype(np.int32) @ a.astype(np.int32))

largest_term = (127 - -128) ** 2
longest_sum = (2**31 - 1) // largest_term
print(f"one corrected term is at most {largest_term}, so INT32 is safe for sums of up to {longest_sum:,} terms")

# %% [markdown]
# This is why hardware for INT8 multiplies 8-bit codes and *accumulates in INT32*.
#
# ### Exercise 5: `int8_matmul`
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

    Hint: convert with `.astype(np.int32)` before anything is multiplied or subtracted.
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

# %% nbgrader={"grade": true, "grade_id": "test_int8_matmul", "locked": true, "points": 10, "schema_version": 3, "solution": false, "task": false}
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
# ### Exercise 6: `QuantizedLinear`
#
# Five methods. The attributes that tests and later modules read are
#
# | attribute | content |
# |---|---|
# | `q_weight` | Tensor, int8, shape (in_features, out_features) |
# | `weight_scale`, `weight_zero_point` | float, int |
# | `bias` | Tensor, float32, shape (out_features,), or None |
# | `input_scale`, `input_zero_point` | float, int; None until calibrated |

# %% nbgrader={"grade": false, "grade_id": "quantized_linear", "locked": false, "schema_version": 3, "solution": true, "task": false}
#| export
class QuantizedLinear:
    """A Linear layer that stores INT8 weights and multiplies INT8 by INT8.

    `QuantizedLinear(linear_layer)` copies what it needs and does not keep the float layer.
    """

    def __init__(self, linear_layer: Linear) -> None:
        """Quantize the weight (in_features, out_features); keep a float32 copy of the bias, or None.

        Note here how many bytes the float layer's arrays occupy (`.data.nbytes`): `memory_usage`
        needs the figure when the float layer is gone.
        """
        self.in_features, self.out_features = linear_layer.weight.shape
        self.input_scale: float | None = None
        self.input_zero_point: int | None = None
        ### BEGIN SOLUTION
        self.q_weight, self.weight_scale, self.weight_zero_point = quantize_int8(linear_layer.weight)
        ### EQUIVALENT 78f66041 by layers: a Tensor copies, and holds floats as float32
        self.bias = None if linear_layer.bias is None else Tensor(linear_layer.bias.data.astype(np.float32))
        self.original_bytes = sum(parameter.data.nbytes for parameter in linear_layer.parameters())
        ### END SOLUTION

    def calibrate(self, sample_inputs: list[Tensor]) -> None:
        """Fix input_scale and input_zero_point from a list of sample inputs (Tensors, any shapes).

        The range spans the smallest and the largest value over all samples. Calling it again
        starts afresh: only the new samples count.
        """
        ### BEGIN SOLUTION
        low = min(sample.data.min() for sample in sample_inputs)
        high = max(sample.data.max() for sample in sample_inputs)
        self.input_scale, self.input_zero_point = affine_parameters(low, high)
        ### END SOLUTION

    def forward(self, x: Tensor) -> Tensor:
        """Tensor (..., in_features) -> Tensor (..., out_features), float32.

        1. scale and zero point of the input: the calibrated ones, or this input's own range
        2. codes of the input
        3. `int8_matmul` with the codes of the weight
        4. both scales, then the bias
        """
        ### BEGIN SOLUTION
        scale, zero_point = self.input_scale, self.input_zero_point
        ### EQUIVALENT 276364c2 by layers: calibration sets both, or neither
        if scale is None or zero_point is None:
            scale, zero_point = affine_parameters(x.data.min(), x.data.max())
        codes = to_codes(x.data, scale, zero_point)
        sums = int8_matmul(codes, zero_point, self.q_weight.data, self.weight_zero_point)
        output = sums * (scale * self.weight_scale)
        if self.bias is not None:
            output = output + self.bias.data
        ### EQUIVALENT 15cac29b by layers: a Tensor holds floats as float32
        return Tensor(output.astype(np.float32))
        ### END SOLUTION

    def __call__(self, x: Tensor) -> Tensor:
        return self.forward(x)

    def parameters(self) -> list[Tensor]:
        """What the layer stores: [q_weight], or [q_weight, bias] if there is a bias."""
        ### BEGIN SOLUTION
        return [self.q_weight] if self.bias is None else [self.q_weight, self.bias]
        ### END SOLUTION

    def memory_usage(self) -> dict[str, float]:
        """Bytes before and after, measured from the arrays.

        Returns a dict with
            original_bytes: what the float layer's arrays occupied (a float16 layer has half of a float32 one)
            quantized_bytes: what this layer's arrays occupy, plus OVERHEAD_BYTES
            compression_ratio: original_bytes / quantized_bytes
        """
        ### BEGIN SOLUTION
        quantized_bytes = sum(parameter.data.nbytes for parameter in self.parameters()) + OVERHEAD_BYTES
        return {
            "original_bytes": self.original_bytes,
            "quantized_bytes": quantized_bytes,
            "compression_ratio": self.original_bytes / quantized_bytes,
        }
        ### END SOLUTION

# %% [markdown]
# Four test cells look at the class, one concern each. First: what it stores.

# %% nbgrader={"grade": true, "grade_id": "test_stored_weights", "locked": true, "points": 6, "schema_version": 3, "solution": false, "task": false}
rng = np.random.default_rng(61)
w = rng.normal(0, 0.4, size=(6, 4)).astype(np.float32)
b = np.array([3.0, -2.0, 0.5, 0.0], dtype=np.float32)
layer = QuantizedLinear(linear_from(w.copy(), b.copy()))
codes, scale, zero_point = layer.q_weight.data, layer.weight_scale, layer.weight_zero_point
bias = layer.bias.data
stored = [parameter.data for parameter in layer.parameters()]
before_calibration = (layer.input_scale, layer.input_zero_point)
expected = quantize_int8(Tensor(w.copy()))
expected_codes, expected_scale, expected_zero_point = expected[0].data, expected[1], expected[2]
### JUDGE
assert codes.shape == (6, 4), (
    f"q_weight must keep the shape (in_features, out_features), (6, 4), got {codes.shape}"
)
assert np.array_equal(codes, expected_codes), (
    "q_weight must hold what your quantize_int8 returns for the weight"
)
assert scale == expected_scale and zero_point == expected_zero_point, (
    "weight_scale and weight_zero_point must be those that your quantize_int8 returns"
)
back = scale * (codes.astype(np.float64) - zero_point)
assert np.abs(back - w).max() <= 2 * np.ptp(w) / 255, (
    "weight_scale * (q_weight - weight_zero_point) must come close to the weight"
)
assert bias.dtype == np.float32 and np.array_equal(bias, b), "the bias must be kept as it is, in float32"
assert len(stored) == 2 and np.array_equal(stored[0], codes) and np.array_equal(stored[1], b), (
    "parameters() must be [q_weight, bias]"
)
assert before_calibration == (None, None), (
    "input_scale and input_zero_point must be None until calibrate is called"
)
### BEGIN HIDDEN TESTS
rng = np.random.default_rng(1606)
w = rng.normal(0.1, 0.7, size=(23, 9)).astype(np.float32)
b = rng.normal(0, 2, size=9).astype(np.float32)
layer = QuantizedLinear(linear_from(w.copy(), b.copy()))
codes, scale, zero_point = layer.q_weight.data, layer.weight_scale, layer.weight_zero_point
expected = quantize_int8(Tensor(w.copy()))
expected_codes, expected_scale, expected_zero_point = expected[0].data, expected[1], expected[2]
bare = QuantizedLinear(linear_from(w.copy()))
bare_bias = None if bare.bias is None else bare.bias.data
bare_stored = [parameter.data for parameter in bare.parameters()]
shared_bias = b.copy()
copied = QuantizedLinear(linear_from(w.copy(), shared_bias))
shared_bias += 100.0
copied_bias = copied.bias.data
### JUDGE
assert codes.shape == (23, 9) and np.array_equal(codes, expected_codes), (
    "q_weight must hold what your quantize_int8 returns for the weight"
)
assert np.ndim(scale) == 0 and scale == expected_scale and zero_point == expected_zero_point, (
    "weight_scale and weight_zero_point must be those that your quantize_int8 returns"
)
back = scale * (codes.astype(np.float64) - zero_point)
assert np.isfinite(back).all() and np.abs(back - w).max() <= 2 * np.ptp(w) / 255, (
    "weight_scale * (q_weight - weight_zero_point) must come close to the weight"
)
assert bare_bias is None, "a layer without bias must have bias None"
assert len(bare_stored) == 1 and np.array_equal(bare_stored[0], codes), (
    "without a bias, parameters() must be [q_weight]"
)
assert copied_bias.dtype == np.float32 and np.array_equal(copied_bias, b), (
    "the bias must be a copy: the layer must not share the float layer's array"
)
### END HIDDEN TESTS
### BEGIN HIDDEN TESTS
layers = []
for number in range(1, 65):
    megabyte = np.full((2048, 128), number, dtype=np.float32)
    layers.append(QuantizedLinear(linear_from(megabyte[::64])))
stands_for = [
    float(layer.weight_scale * (float(layer.q_weight.data[-1, -1]) - layer.weight_zero_point)) for layer in layers
]
### JUDGE
assert np.shape(stands_for) == (64,) and np.allclose(stands_for, np.arange(1, 65), rtol=0.02), (
    "weight_scale * (q_weight - weight_zero_point) must come close to the weight, for every layer"
)
### MEASURED
# assert peak_mb < 32, (
#     "the float layer, its weight Tensor or its weight array is still alive: the quantized layer must "
#     "not keep it"
# )
### END HIDDEN TESTS

# %% [markdown]
# Second: calibration.

# %% nbgrader={"grade": true, "grade_id": "test_calibrate", "locked": true, "points": 6, "schema_version": 3, "solution": false, "task": false}
low_batch = np.array([[-2.0, 0.1], [0.3, 0.2]], dtype=np.float32)
high_batch = np.array([[0.5, 6.0]], dtype=np.float32)
w = np.eye(2, dtype=np.float32)
layer = QuantizedLinear(linear_from(w.copy()))
returned = layer.calibrate([Tensor(low_batch.copy()), Tensor(high_batch.copy())])
scale, zero_point = layer.input_scale, layer.input_zero_point
expected_scale, expected_zero_point = affine_parameters(-2.0, 6.0)
ends = to_codes(np.array([-2.0, 6.0]), scale, zero_point) if scale is not None else None
### JUDGE
assert scale is not None and zero_point is not None, "calibrate must set input_scale and input_zero_point"
assert np.ndim(scale) == 0 and np.ndim(zero_point) == 0, (
    "there is one input_scale and one input_zero_point for the layer"
)
assert np.isclose(scale, expected_scale, rtol=1e-6) and zero_point == expected_zero_point, (
    f"the samples span -2..6, so your affine_parameters(-2, 6) must be stored: {expected_scale}, "
    f"{expected_zero_point}; got {scale}, {zero_point}"
)
back = scale * (ends.astype(np.float64) - zero_point)
assert np.abs(back - np.array([-2.0, 6.0])).max() <= 0.08, (
    f"the calibrated range must cover the samples: their ends -2 and 6 came back as {back}"
)
### BEGIN HIDDEN TESTS
rng = np.random.default_rng(1607)
w = np.ones((5, 3), dtype=np.float32)
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
low, high = float(min(batch.min() for batch in batches)), float(max(batch.max() for batch in batches))
narrow_low, narrow_high = float(min(batch.min() for batch in narrow)), float(max(batch.max() for batch in narrow))
layer = QuantizedLinear(linear_from(w.copy()))
before = (layer.input_scale, layer.input_zero_point)
first_call = layer.calibrate([Tensor(batch.copy()) for batch in batches])
first = (layer.input_scale, layer.input_zero_point)
second_call = layer.calibrate([Tensor(batch.copy()) for batch in narrow])
second = (layer.input_scale, layer.input_zero_point)
expected_first = affine_parameters(low, high)
expected_second = affine_parameters(narrow_low, narrow_high)
first_ends = to_codes(np.array([low, high]), *first) if first[0] is not None else None
second_ends = to_codes(np.array([narrow_low, narrow_high]), *second) if second[0] is not None else None
### JUDGE
assert before == (None, None), "before calibration input_scale and input_zero_point must be None"
(scale, zero_point), (want_scale, want_zero_point) = first, expected_first
assert scale is not None and zero_point is not None and np.ndim(scale) == 0, (
    "calibrate must set one input_scale and one input_zero_point"
)
assert np.isclose(scale, want_scale, rtol=1e-6) and zero_point == want_zero_point, (
    "the range must span the smallest and the largest value over all samples, not those of one sample "
    "or their average"
)
back = scale * (first_ends.astype(np.float64) - zero_point)
assert np.isfinite(back).all() and np.abs(back - np.array([low, high])).max() <= (high - low) / 100, (
    "the calibrated range must cover the samples: their smallest and largest value must come back"
)
(scale, zero_point), (want_scale, want_zero_point) = second, expected_second
assert scale is not None, "calibrating again must set the range again"
assert np.isclose(scale, want_scale, rtol=1e-6) and zero_point == want_zero_point, (
    "calibrating again must start afresh: only the new samples count"
)
back = scale * (second_ends.astype(np.float64) - zero_point)
assert np.abs(back - np.array([narrow_low, narrow_high])).max() <= (narrow_high - narrow_low) / 100, (
    "the range of the new samples must cover them: their smallest and largest value must come back"
)
### END HIDDEN TESTS

# %% [markdown]
# Third: the forward pass. The test takes your own codes, scales and zero points as given and
# recomputes the sums from them, so a mistake in exercises 1 to 4 is not counted again here.

# %% nbgrader={"grade": true, "grade_id": "test_forward", "locked": true, "points": 10, "schema_version": 3, "solution": false, "task": false}
rng = np.random.default_rng(63)
w = rng.normal(0, 0.5, size=(12, 5)).astype(np.float32)
b = np.array([4.0, -3.0, 2.0, 0.0, 1.0], dtype=np.float32)
x = rng.normal(0.5, 1.0, size=(9, 12)).astype(np.float32)
layer = QuantizedLinear(linear_from(w.copy(), b.copy()))
calibrated = layer.calibrate([Tensor(x.copy())])
sx, zx, sw, zw = layer.input_scale, layer.input_zero_point, layer.weight_scale, layer.weight_zero_point
w_codes = layer.q_weight.data
x_codes = to_codes(x.copy(), sx, zx)
output = layer.forward(Tensor(x.copy())).data
### JUDGE
assert output.dtype == np.float32, f"the output must be float32, got {output.dtype}"
assert output.shape == (9, 5), f"inputs (9, 12) through a 12 -> 5 layer give (9, 5), got {output.shape}"
sums = (x_codes.astype(np.int64) - int(zx)) @ (w_codes.astype(np.int64) - int(zw))
want = sx * sw * sums + b
worst = np.abs(output - want).max()
assert worst <= 1e-4 * np.abs(want).max(), (
    f"recomputed from your own codes and scales, the output differs by up to {worst:.4f}. If that is "
    "about the size of the bias, look there; otherwise look at the zero points"
)
step_x, step_w = np.ptp(x) / 255, np.ptp(w) / 255
bound = 4 * (np.abs(x).sum(axis=1, keepdims=True) * step_w + np.abs(w).sum(axis=0) * step_x) / 2
assert np.all(np.abs(output - (x @ w + b)) <= bound), (
    "the output is further from the float layer's than rounding can explain"
)
### BEGIN HIDDEN TESTS
rng = np.random.default_rng(1608)
w = rng.normal(0.2, 0.5, size=(11, 6)).astype(np.float32)
b = (rng.choice([-1.0, 1.0], size=6) * rng.uniform(5.0, 9.0, size=6)).astype(np.float32)
x = rng.normal(0.7, 1.0, size=(3, 4, 11)).astype(np.float32)
calm = rng.uniform(-0.9, 0.9, size=(8, 11)).astype(np.float32)
loud = (calm * np.float32(7.0)).astype(np.float32)
positive = rng.uniform(0.0, 250.0, size=(5, 11)).astype(np.float32)
layer = QuantizedLinear(linear_from(w.copy(), b.copy()))
calibrated = layer.calibrate([Tensor(x.copy())])
sx, zx, sw, zw = layer.input_scale, layer.input_zero_point, layer.weight_scale, layer.weight_zero_point
w_codes = layer.q_weight.data
x_codes = to_codes(x.copy(), sx, zx)
output = layer.forward(Tensor(x.copy())).data
bare = QuantizedLinear(linear_from(w.copy()))
bare_calibrated = bare.calibrate([Tensor(calm.copy())])
calm_scale, calm_zero_point = bare.input_scale, bare.input_zero_point
calm_codes = to_codes(calm.copy(), calm_scale, calm_zero_point)
loud_codes = to_codes(loud.copy(), calm_scale, calm_zero_point)
calm_output = bare.forward(Tensor(calm.copy())).data
loud_output = bare(Tensor(loud.copy())).data
after_forward = (bare.input_scale, bare.input_zero_point)
fresh = QuantizedLinear(linear_from(w.copy(), b.copy()))
fresh_calm_output = fresh.forward(Tensor(calm.copy())).data
fresh_positive_output = fresh.forward(Tensor(positive.copy())).data
fresh_state = (fresh.input_scale, fresh.input_zero_point)
float_layer = linear_from(w.copy(), b.copy())
apart = QuantizedLinear(float_layer)
float_layer.weight.data, float_layer.bias.data = np.zeros_like(w), np.zeros_like(b)
apart_output = apart.forward(Tensor(calm.copy())).data
dynamic_calm = affine_parameters(float(calm.min()), float(calm.max()))
dynamic_positive = affine_parameters(float(positive.min()), float(positive.max()))
dynamic_calm_codes = to_codes(calm.copy(), dynamic_calm[0], dynamic_calm[1])
dynamic_positive_codes = to_codes(positive.copy(), dynamic_positive[0], dynamic_positive[1])
long_x = np.repeat([126, -84, 171, 0, 3], [9000, 9000, 1, 1, 1]) / 195.12
long_w = np.repeat([100, 150, 0, -105, 1], [9000, 9000, 1, 1, 1]) / 128.97
long_x, long_w = long_x.astype(np.float32)[None], long_w.astype(np.float32)[:, None]
long_layer = QuantizedLinear(linear_from(long_w.copy()))
long_calibrated = long_layer.calibrate([Tensor(long_x.copy())])
long_sx, long_zx = long_layer.input_scale, long_layer.input_zero_point
long_sw, long_zw = long_layer.weight_scale, long_layer.weight_zero_point
long_w_codes, long_x_codes = long_layer.q_weight.data, to_codes(long_x.copy(), long_sx, long_zx)
long_output = long_layer.forward(Tensor(long_x.copy())).data
### JUDGE
integer_w = w_codes.astype(np.int64) - int(zw)
outputs = [output, calm_output, loud_output, fresh_calm_output, fresh_positive_output, apart_output]
for result, shape in zip(outputs, [(3, 4, 6), (8, 6), (8, 6), (8, 6), (5, 6), (8, 6)], strict=True):
    assert isinstance(result, np.ndarray) and result.dtype == np.float32, (
        "the output must be a Tensor of dtype float32"
    )
    assert result.shape == shape, (
        "the output must have the shape (..., out_features), with all leading dimensions of the input"
    )
    assert np.isfinite(result).all(), "the output must be finite"
want = sx * sw * ((x_codes.astype(np.int64) - int(zx)) @ integer_w) + b
assert np.abs(output - want).max() <= 1e-4 * np.abs(want).max(), (
    "the output must be input_scale * weight_scale * (corrected integer sums) + bias, from the codes "
    "of the input; recomputed from your own codes it differs"
)
step_w = np.ptp(w) / 255
bound = 2 * (np.abs(x).sum(axis=-1, keepdims=True) * step_w + np.abs(w).sum(axis=0) * np.ptp(x) / 255)
assert np.all(np.abs(output - (x @ w + b)) <= bound), (
    "the output is further from the float layer's than rounding can explain"
)
calm_want = calm_scale * sw * ((calm_codes.astype(np.int64) - int(calm_zero_point)) @ integer_w)
assert np.abs(calm_output - calm_want).max() <= 1e-4 * np.abs(calm_want).max(), (
    "without a bias the output must be the scaled integer sums, nothing more"
)
loud_want = calm_scale * sw * ((loud_codes.astype(np.int64) - int(calm_zero_point)) @ integer_w)
assert np.abs(loud_output - loud_want).max() <= 1e-4 * np.abs(loud_want).max(), (
    "a calibrated layer must use its calibrated range for every input, also for one that lies outside"
)
assert after_forward == (calm_scale, calm_zero_point), "forward must not change the calibration"
assert fresh_state == (None, None), (
    "forward must not calibrate the layer: an uncalibrated layer takes each input's own range, every "
    "time"
)
(calm_step, calm_zero), (positive_step, positive_zero) = dynamic_calm, dynamic_positive
calm_integers = dynamic_calm_codes.astype(np.int64) - int(calm_zero)
positive_integers = dynamic_positive_codes.astype(np.int64) - int(positive_zero)
fresh_calm_want = calm_step * sw * (calm_integers @ integer_w) + b
fresh_positive_want = positive_step * sw * (positive_integers @ integer_w) + b
assert np.abs(fresh_calm_output - fresh_calm_want).max() <= 1e-4 * np.abs(fresh_calm_want).max(), (
    "an uncalibrated layer must quantize its input over the input's own range"
)
assert np.abs(apart_output - fresh_calm_want).max() <= 1e-4 * np.abs(fresh_calm_want).max(), (
    "the quantized layer must not need the float layer: its output changed when that was emptied"
)
assert np.abs(fresh_positive_output - fresh_positive_want).max() <= 1e-4 * np.abs(fresh_positive_want).max(), (
    "an uncalibrated layer must take the range of each new input, not that of an earlier one"
)
long_x_steps = long_x_codes.astype(np.int64) - int(long_zx)
long_w_steps = long_w_codes.astype(np.int64) - int(long_zw)
for values, steps, scale in ((long_x, long_x_steps, long_sx), (long_w, long_w_steps, long_sw)):
    assert steps.shape == values.shape and np.abs(scale * steps - values).max() <= 0.02 * np.ptp(values), (
        "the codes of a long input and of its weights must stand for their values"
    )
long_sum = long_x_steps @ long_w_steps
assert long_output.shape == (1, 1) and (
    abs(long_output - long_sx * long_sw * long_sum).item() <= 0.1 * long_sx * long_sw * (1 + 1e-4 * abs(long_sum).item())
), (
    "forward must multiply integers: in this long sum the large terms cancel exactly, and what is left is lost "
    "when codes are turned back into floats before they are multiplied"
)
### END HIDDEN TESTS

# %% [markdown]
# Fourth: the bytes.

# %% nbgrader={"grade": true, "grade_id": "test_memory_usage", "locked": true, "points": 4, "schema_version": 3, "solution": false, "task": false}
w = np.linspace(-1, 1, 64 * 32, dtype=np.float32).reshape(64, 32)
b = np.ones(32, dtype=np.float32)
layer = QuantizedLinear(linear_from(w.copy(), b.copy()))
usage = layer.memory_usage()
held_bytes = sum(parameter.data.nbytes for parameter in layer.parameters())
### JUDGE
assert set(usage) >= {"original_bytes", "quantized_bytes", "compression_ratio"}, (
    "memory_usage must have the keys original_bytes, quantized_bytes and compression_ratio, got "
    f"{sorted(usage)}"
)
assert usage["original_bytes"] == w.nbytes + b.nbytes, (
    f"the float layer's arrays occupied {w.nbytes + b.nbytes} bytes, got {usage['original_bytes']}"
)
assert usage["quantized_bytes"] == held_bytes + 16, (
    f"this layer's arrays occupy {held_bytes} bytes, and 16 more for scales and zero points; got "
    f"{usage['quantized_bytes']}"
)
assert np.isclose(usage["compression_ratio"], usage["original_bytes"] / usage["quantized_bytes"]), (
    "compression_ratio must be original_bytes / quantized_bytes"
)
### BEGIN HIDDEN TESTS
shapes = [(7, 3), (128, 40), (1, 1)]
weights = [np.full(shape, 0.5, dtype=np.float32) for shape in shapes]
biases = [np.zeros(shape[1], dtype=np.float32) for shape in shapes]
with_bias = [QuantizedLinear(linear_from(w.copy(), b.copy())) for w, b in zip(weights, biases)]
without_bias = [QuantizedLinear(linear_from(w.copy())) for w in weights]
usages = [layer.memory_usage() for layer in with_bias]
bare_usages = [layer.memory_usage() for layer in without_bias]
held = [sum(parameter.data.nbytes for parameter in layer.parameters()) for layer in with_bias]
bare_held = [sum(parameter.data.nbytes for parameter in layer.parameters()) for layer in without_bias]
half = QuantizedLinear(linear_from(np.ones((10, 8), dtype=np.float16), np.ones(8, dtype=np.float16)))
half_original = half.memory_usage()["original_bytes"]
### JUDGE
for shape, usage, bytes_held in zip(shapes, usages, held, strict=True):
    size, outputs = shape[0] * shape[1], shape[1]
    assert usage["original_bytes"] == 4 * (size + outputs), (
        "original_bytes must be the bytes of the float layer's weight and bias"
    )
    assert bytes_held >= size + outputs and usage["quantized_bytes"] == bytes_held + 16, (
        "quantized_bytes must be the bytes of this layer's arrays plus OVERHEAD_BYTES"
    )
    assert np.isclose(usage["compression_ratio"], usage["original_bytes"] / usage["quantized_bytes"], rtol=1e-6), (
        "compression_ratio must be original_bytes / quantized_bytes, for every shape"
    )
for shape, usage, bytes_held in zip(shapes, bare_usages, bare_held, strict=True):
    size = shape[0] * shape[1]
    assert usage["original_bytes"] == 4 * size, (
        "without a bias, original_bytes must be the weight's bytes alone"
    )
    assert bytes_held >= size and usage["quantized_bytes"] == bytes_held + 16, (
        "without a bias, quantized_bytes must be the codes' bytes plus OVERHEAD_BYTES"
    )
    assert np.isclose(usage["compression_ratio"], usage["original_bytes"] / usage["quantized_bytes"], rtol=1e-6), (
        "compression_ratio must be original_bytes / quantized_bytes, for every shape"
    )
assert half_original == 2 * (10 * 8 + 8), (
    "original_bytes must be measured from the arrays (.nbytes): a float16 layer has two bytes per "
    "parameter"
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
# ### Exercise 7: `compare_model_sizes`
#
# Quantized layers know their bytes (`memory_usage`); for all others count the arrays. Write that
# first: `model_bytes` is the one figure that this exercise and the next need most.

# %% nbgrader={"grade": false, "grade_id": "model_bytes", "locked": false, "schema_version": 3, "solution": true, "task": false}
#| export
def model_bytes(model: Any) -> int:
    """Bytes of all layers of a model (with `.layers`; see `flat_layers`).

    A QuantizedLinear counts with its `quantized_bytes`, that is, with its overhead; every other layer
    with the bytes of its parameters' arrays (`.data.nbytes`).
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

# %% nbgrader={"grade": true, "grade_id": "test_compare_model_sizes", "locked": true, "points": 4, "schema_version": 3, "solution": false, "task": false}
first, second = np.ones((20, 30), dtype=np.float32), np.ones((30, 4), dtype=np.float32)
bias = np.zeros(30, dtype=np.float32)
original = Sequential(linear_from(first.copy(), bias.copy()), ReLU(), linear_from(second.copy()))
quantized_first = QuantizedLinear(linear_from(first.copy(), bias.copy()))
quantized_second = QuantizedLinear(linear_from(second.copy()))
quantized = Sequential(quantized_first, ReLU(), quantized_second)
sizes = compare_model_sizes(original, quantized)
layer_bytes = sum(layer.memory_usage()["quantized_bytes"] for layer in (quantized_first, quantized_second))
### JUDGE
keys = ["original_params", "quantized_params", "original_bytes", "quantized_bytes"]
for key in [*keys, "compression_ratio", "memory_saved_mb", "memory_saved_percent"]:
    assert key in sizes, f"the key {key} is missing"
assert sizes["original_params"] == 750 and sizes["quantized_params"] == 750, (
    f"both models store 20*30 + 30 + 30*4 = 750 numbers, got {sizes['original_params']} and "
    f"{sizes['quantized_params']}"
)
assert sizes["original_bytes"] == 3000, f"750 float32 numbers are 3000 bytes, got {sizes['original_bytes']}"
assert sizes["quantized_bytes"] == layer_bytes, (
    f"the two layers together report {layer_bytes} bytes, got {sizes['quantized_bytes']}"
)
saved = sizes["original_bytes"] - sizes["quantized_bytes"]
assert np.isclose(sizes["compression_ratio"], sizes["original_bytes"] / sizes["quantized_bytes"]), (
    "compression_ratio must be original_bytes / quantized_bytes"
)
assert np.isclose(sizes["memory_saved_mb"], saved / 2**20, rtol=2e-7, atol=0), (
    "memory_saved_mb must be the difference in units of 2**20 bytes"
)
assert np.isclose(sizes["memory_saved_percent"], 100 * saved / sizes["original_bytes"], rtol=2e-7, atol=0), (
    "memory_saved_percent must be the difference in percent of the original"
)
### BEGIN HIDDEN TESTS
a, b = np.ones((9, 50), dtype=np.float32), np.ones((50, 50), dtype=np.float32)
c = np.ones((50, 7), dtype=np.float32)
c_bias = np.zeros(7, dtype=np.float32)
float_inner, float_outer = linear_from(b.copy()), linear_from(c.copy(), c_bias.copy())
inner, outer = QuantizedLinear(linear_from(b.copy())), QuantizedLinear(linear_from(c.copy(), c_bias.copy()))
original = Sequential(linear_from(a.copy()), ReLU(), Sequential(float_inner, ReLU()), float_outer)
mixed = Sequential(linear_from(a.copy()), ReLU(), Sequential(inner, ReLU()), outer)
sizes = compare_model_sizes(original, mixed)
same = compare_model_sizes(original, original)
saved_by_nothing = [same[key] for key in ("compression_ratio", "memory_saved_mb", "memory_saved_percent")]
inner_bytes = inner.memory_usage()["quantized_bytes"]
outer_bytes = outer.memory_usage()["quantized_bytes"]
### JUDGE
count = a.size + b.size + c.size + c_bias.size
assert sizes["original_params"] == count and sizes["quantized_params"] == count, (
    "all stored numbers count, in float and in quantized layers, also in layers inside a container"
)
assert sizes["original_bytes"] == 4 * count, (
    "original_bytes must count every array of the original model, biases included"
)
want_bytes = a.nbytes + inner_bytes + outer_bytes
assert sizes["quantized_bytes"] == want_bytes, (
    "quantized_bytes must add up float layers (their arrays) and quantized layers (their "
    "quantized_bytes, with overhead), also inside a container"
)
assert np.isclose(sizes["compression_ratio"], 4 * count / want_bytes, rtol=1e-6), (
    "compression_ratio must be original_bytes / quantized_bytes"
)
assert np.isclose(sizes["memory_saved_mb"], (4 * count - want_bytes) / 2**20, rtol=2e-7, atol=0), (
    "memory_saved_mb must be the difference in units of 2**20 bytes"
)
assert np.isclose(sizes["memory_saved_percent"], 100 * (4 * count - want_bytes) / (4 * count), rtol=2e-7, atol=0), (
    "memory_saved_percent must be the difference in percent of the original"
)
assert saved_by_nothing == [1, 0, 0], "a model compared with itself saves nothing"
### END HIDDEN TESTS

# %% [markdown]
# ### Exercise 8: `quantize_model`
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
        calibration_data: list of Tensors, inputs of the model. Each layer is calibrated with what
            arrives at it when nothing is dropped (Dropout with training=False). None or an empty
            list: the layers stay uncalibrated.

    Returns a dict with
        quantized_layers: {"layer_0": {"quantized": q_weight, "scale": ..., "zero_point": ...,
            "original_shape": (in, out)}, ...}; the number is the place in `.layers`, inside a
            container "layer_2.0" and so on
        original_size_mb, quantized_size_mb: bytes of the whole model before and after, in MB (2**20)
        compression_ratio: the first by the second

    Raises:
        ValueError: if model has no `.layers` (a bare Linear, for example: there is nothing to
            replace it in).
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

# %% nbgrader={"grade": true, "grade_id": "test_quantize_model", "locked": true, "points": 8, "schema_version": 3, "solution": false, "task": false}
rng = np.random.default_rng(64)
w1, b1 = rng.normal(0, 0.4, size=(6, 16)).astype(np.float32), rng.normal(0, 0.1, size=16).astype(np.float32)
w2, b2 = rng.normal(0, 0.4, size=(16, 3)).astype(np.float32), np.array([1.0, -1.0, 0.5], dtype=np.float32)
x = rng.normal(0, 1, size=(40, 6)).astype(np.float32)
hidden_high = float(np.maximum(x @ w1 + b1, 0).max())
model = Sequential(linear_from(w1.copy(), b1.copy()), ReLU(), Dropout(0.5), linear_from(w2.copy(), b2.copy()))
info = quantize_model(model, [Tensor(x[:20].copy()), Tensor(x[20:].copy())])
kinds = [type(layer).__name__ for layer in model.layers]
names = sorted(info["quantized_layers"])
int8_layers = [layer for layer in (model.layers[0], model.layers[3]) if hasattr(layer, "q_weight")]
input_ranges = [(layer.input_scale, layer.input_zero_point) for layer in int8_layers]
low, high = float(x.min()), float(x.max())
tops = [np.array([low, high]), np.array([hidden_high])]
first_ends, last_ends = [None if s is None else to_codes(top, s, z) for top, (s, z) in zip(tops, input_ranges)]
held = [(layer.weight_scale, layer.weight_zero_point, layer.q_weight.data) for layer in int8_layers]
held_bytes = sum(layer.memory_usage()["quantized_bytes"] for layer in int8_layers)
original_mb, quantized_mb, ratio = info["original_size_mb"], info["quantized_size_mb"], info["compression_ratio"]
expected_codes = [quantize_int8(Tensor(w.copy()))[0].data for w in (w1, w2)]
expected_first = affine_parameters(low, high)[0]
expected_last = affine_parameters(0.0, hidden_high)[0]
### JUDGE
assert kinds == ["QuantizedLinear", "ReLU", "Dropout", "QuantizedLinear"], (
    f"both Linear layers must be replaced in model.layers and the others kept, got {kinds}"
)
for weight, (scale, zero_point, codes), expected in zip((w1, w2), held, expected_codes, strict=True):
    assert np.array_equal(codes, expected), (
        "each replaced layer must hold the codes of the weight that stood in its place"
    )
    assert np.abs(scale * (codes.astype(np.float64) - zero_point) - weight).max() <= 0.02 * np.ptp(weight), (
        "the codes of each replaced layer must stand for the weight that stood in its place"
    )
assert names == ["layer_0", "layer_3"], f"quantized_layers must name layer_0 and layer_3, got {names}"
assert np.isclose(original_mb, 4 * (w1.size + b1.size + w2.size + b2.size) / 2**20, rtol=2e-7, atol=0), (
    "original_size_mb must be the bytes of the float model in units of 2**20"
)
assert np.isclose(quantized_mb, held_bytes / 2**20, rtol=2e-7, atol=0), (
    "quantized_size_mb must be what the quantized layers report, in units of 2**20"
)
assert np.isclose(ratio, original_mb / quantized_mb), (
    "compression_ratio must be original_size_mb / quantized_size_mb"
)
(first_scale, first_zero), (last_scale, last_zero) = input_ranges
assert first_scale is not None and last_scale is not None, (
    "with calibration data every quantized layer must be calibrated"
)
assert abs(first_scale / expected_first - 1) < 0.05, "the first layer must be calibrated with the data itself"
assert abs(last_scale / expected_last - 1) < 0.05, (
    "the last layer must be calibrated with what comes out of the ReLU, and nothing dropped on the way"
)
back = first_scale * (first_ends.astype(np.float64) - first_zero)
assert back.shape == (2,) and np.abs(back - np.array([low, high])).max() <= 0.02 * (high - low), (
    "the first layer's range must cover the data"
)
back = last_scale * (last_ends.astype(np.float64) - last_zero)
assert back.shape == (1,) and abs(back[0] - hidden_high) <= 0.05 * hidden_high, (
    "the last layer's range must cover what arrives at it"
)
### BEGIN HIDDEN TESTS
rng = np.random.default_rng(1609)
w1, b1 = (30 * rng.normal(0, 0.3, size=(7, 20))).astype(np.float32), rng.normal(0, 5, size=20).astype(np.float32)
w2, b2 = rng.normal(0, 0.3, size=(20, 12)).astype(np.float32), rng.normal(0, 5, size=12).astype(np.float32)
w3 = rng.normal(0.05, 0.3, size=(12, 4)).astype(np.float32)
x = rng.normal(0.2, 1, size=(60, 7)).astype(np.float32)
h1 = np.maximum(x @ w1 + b1, 0)
h2 = np.maximum(h1 @ w2 + b2, 0)
lows = [float(x.min()), float(h1.min()), float(h2.min())]
highs = [float(x.max()), float(h1.max()), float(h2.max())]
range_ends = list(zip(lows, highs))
block = Sequential(linear_from(w2.copy(), b2.copy()), ReLU())
model = Sequential(linear_from(w1.copy(), b1.copy()), ReLU(), Dropout(0.5), block, linear_from(w3.copy()))
info = quantize_model(model, [Tensor(x[:25].copy()), Tensor(x[25:].copy())])
layers = [*model.layers[:3], *model.layers[3].layers, model.layers[4]]
kinds = [type(layer).__name__ for layer in layers]
int8_layers = [layer for layer in layers if hasattr(layer, "q_weight")]
input_ranges = [(layer.input_scale, layer.input_zero_point) for layer in int8_layers]
input_ends = [
    None if scale is None else to_codes(np.array(ends), scale, zero_point)
    for ends, (scale, zero_point) in zip(range_ends, input_ranges)
]
expected_ranges = [affine_parameters(low, high) for low, high in zip(lows, highs)]
layer_bytes = sum(layer.memory_usage()["quantized_bytes"] for layer in int8_layers)
held_biases = [None if layer.bias is None else layer.bias.data for layer in int8_layers]
expected_held = [quantize_int8(Tensor(w.copy())) for w in (w1, w2, w3)]
expected_codes = [answer[0].data for answer in expected_held]
entries = sorted(info["quantized_layers"].values(), key=lambda entry: tuple(entry["original_shape"]))
entry_codes = [entry["quantized"].data for entry in entries]
entry_scales = [(entry["scale"], entry["zero_point"]) for entry in entries]
entry_shapes = [tuple(entry["original_shape"]) for entry in entries]
held = [(layer.weight_scale, layer.weight_zero_point, layer.q_weight.data) for layer in int8_layers]
sizes = [info["original_size_mb"], info["quantized_size_mb"], info["compression_ratio"]]
plain = Sequential(ReLU(), linear_from(w3.copy()), ReLU())
plain_info = quantize_model(plain)
plain_kinds = [type(layer).__name__ for layer in plain.layers]
plain_range = (getattr(plain.layers[1], "input_scale", 0.0), getattr(plain.layers[1], "input_zero_point", 0))
plain_names = sorted(plain_info["quantized_layers"])
try:
    refused = quantize_model(linear_from(w3.copy()))
    bare_error = None
except Exception as error:
    bare_error = type(error).__name__
try:
    refused_relu = quantize_model(ReLU())
    layerless_error = None
except Exception as error:
    layerless_error = type(error).__name__
### JUDGE
assert kinds == ["QuantizedLinear", "ReLU", "Dropout", "QuantizedLinear", "ReLU", "QuantizedLinear"], (
    "every Linear layer must be replaced, the last one and those inside a container too, and nothing "
    "else"
)
for (scale, zero_point), (want_scale, want_zero_point) in zip(input_ranges, expected_ranges, strict=True):
    assert scale is not None and zero_point is not None, (
        "with calibration data every quantized layer must be calibrated"
    )
    assert abs(scale / want_scale - 1) < 0.05 and abs(zero_point - want_zero_point) <= 4, (
        "each layer must be calibrated with the inputs that arrive at it, over all the calibration data, nothing dropped"
    )
for ends, (scale, zero_point), codes in zip(range_ends, input_ranges, input_ends, strict=True):
    back = scale * (codes.astype(np.float64) - zero_point)
    assert np.abs(back - np.array(ends)).max() <= 0.05 * max(np.abs(ends)), (
        "the range of each layer must cover the inputs that arrive at it"
    )
for weight, (scale, zero_point, codes), want_codes in zip([w1, w2, w3], held, expected_codes, strict=True):
    assert np.array_equal(codes, want_codes), (
        "each replaced layer must hold the codes of the weight that stood in its place"
    )
    assert np.abs(scale * (codes.astype(np.float64) - zero_point) - weight).max() <= 0.02 * np.ptp(weight), (
        "the codes of each replaced layer must stand for the weight that stood in its place"
    )
for bias, want_bias in zip(held_biases, [b1, b2, None], strict=True):
    same = bias is None if want_bias is None else bias is not None and np.array_equal(bias, want_bias)
    assert same, "each replaced layer must hold the bias that stood in its place"
assert len(entry_codes) == 3 and len(entry_scales) == 3, (
    "quantized_layers must have one entry per replaced layer"
)
assert entry_shapes == [(7, 20), (12, 4), (20, 12)], (
    "original_shape must be the shape of the layer's weight"
)
for (scale, zero_point, codes), entry_scale, entry in zip(
    (held[0], held[2], held[1]), entry_scales, entry_codes, strict=True
):
    assert entry_scale == (scale, zero_point) and np.array_equal(entry, codes), (
        "the entries of quantized_layers must hold the codes, scale and zero point of the replaced "
        "layers"
    )
want_original = (w1.nbytes + b1.nbytes + w2.nbytes + b2.nbytes + w3.nbytes) / 2**20
want_quantized = layer_bytes / 2**20
assert len(sizes) == 3 and np.isclose(sizes[0], want_original, rtol=2e-7, atol=0), (
    "original_size_mb must be the bytes of the whole float model"
)
assert np.isclose(sizes[1], want_quantized, rtol=2e-7, atol=0), (
    "quantized_size_mb must be the bytes of the whole quantized model, overhead included"
)
assert np.isclose(sizes[2], want_original / want_quantized, rtol=1e-6), (
    "compression_ratio must be the size before by the size after"
)
assert plain_kinds == ["ReLU", "QuantizedLinear", "ReLU"] and plain_names == ["layer_1"], (
    "without calibration data the layers must be replaced as well, and named by their place"
)
assert plain_range == (None, None), "without calibration data the layers must stay uncalibrated"
assert bare_error == "ValueError", "a bare Linear must raise ValueError"
assert layerless_error == "ValueError", "a model without layers must raise ValueError"
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
# ### 5.1 The measurement of part 1, on your models
#
# The same function, the same widths, the same budgets. Only the models are now yours.

# %% tags=["validate"]
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
        print(f"{device:<16} {budget:>5g} MB  {label}  {verdict}")

plot_widths({"FP32": fp32_rows, "INT8": int8_rows})

# %% [markdown]
# The ratio is not the same in every row. What is left in float, and why does it matter less and
# less as the layers grow?
#
# ### 5.2 Accuracy
#
# A small classifier, made here: six overlapping clouds of points in 16 dimensions, a layer of fixed
# random features with a ReLU, and a last layer fitted by least squares. Half of the points fit it,
# the other half test it.

# %% tags=["validate"]
def make_classifier(seed=5, classes=6, inputs=16, features=64, points=2400):
    """Data and a float model: returns (model, fitting inputs, test inputs, test labels)."""
    rng = np.random.default_rng(seed)
    centres = rng.normal(0, 0.75, size=(classes, inputs))
    labels = rng.integers(classes, size=points)
    points_in = (centres[labels] + rng.normal(0, 1, size=(points, inputs))).astype(np.float32)
    first = rng.normal(0, 0.35, size=(inputs, features)).astype(np.float32)
    first_bias = rng.normal(0, 0.3, size=features).astype(np.float32)
    hidden = np.maximum(points_in @ first + first_bias, 0)
    half = points // 2
    design = np.hstack([hidden[:half], np.ones((half, 1))])
    solution = np.linalg.lstsq(design, np.eye(classes)[labels[:half]], rcond=None)[0].astype(np.float32)
    model = Sequential(linear_from(first, first_bias), ReLU(), linear_from(solution[:-1], solution[-1]))
    return model, points_in[:half], points_in[half:], labels[half:]


def accuracy(model, points, labels):
    return float(np.mean(model.forward(Tensor(points)).data.argmax(axis=1) == labels))


float_model, fit_points, test_points, test_labels = make_classifier()
int8_model = copy.deepcopy(float_model)
quantize_model(int8_model, [Tensor(fit_points)])
float_outputs = float_model.forward(Tensor(test_points)).data
int8_outputs = int8_model.forward(Tensor(test_points)).data
agree = np.mean(float_outputs.argmax(axis=1) == int8_outputs.argmax(axis=1))
moved = np.linalg.norm(int8_outputs - float_outputs) / np.linalg.norm(float_outputs)
sizes = compare_model_sizes(float_model, int8_model)
for label, model in (("FP32", float_model), ("INT8", int8_model)):
    print(f"{label} accuracy {accuracy(model, test_points, test_labels):.2%}")
print(f"the two models agree on {agree:.2%} of {len(test_labels)} test points")
print(f"outputs moved by {moved:.2%} (relative norm)")
before, after = sizes["original_bytes"], sizes["quantized_bytes"]
print(f"{before:,} bytes -> {after:,} bytes, ratio {sizes['compression_ratio']:.2f}")

# %% [markdown]
# ### 5.3 What calibration is worth
#
# The same model four times, with different calibration data. The last column is the share of the
# test inputs that lie outside the first layer's calibrated range, that is, saturate.

# %% tags=["validate"]
with_outlier = fit_points.copy()
with_outlier[0, 0] = 400.0
calibrations = {
    "representative": [Tensor(fit_points)],
    "too narrow (values / 8)": [Tensor(fit_points / 8)],
    "one outlier of 400": [Tensor(with_outlier)],
    "none (dynamic)": None,
}
calibration_results = {}
print(f"{'calibration data':<26} {'accuracy':>9} {'outputs moved':>14} {'outside':>9}")
for label, data in calibrations.items():
    model = copy.deepcopy(float_model)
    quantize_model(model, data)
    outputs = model.forward(Tensor(test_points)).data
    moved = np.linalg.norm(outputs - float_outputs) / np.linalg.norm(float_outputs)
    first = model.layers[0]
    outside = 0.0
    if first.input_scale is not None:
        reach = first.input_scale * (np.array([-128, 127]) - first.input_zero_point)
        outside = np.mean((test_points < reach[0]) | (test_points > reach[1]))
    calibration_results[label] = moved
    print(f"{label:<26} {accuracy(model, test_points, test_labels):>9.2%} {moved:>14.2%} {outside:>9.2%}")
best = min(calibration_results, key=calibration_results.get)
worst = max(calibration_results, key=calibration_results.get)
times = calibration_results[worst] / calibration_results[best]
print(f"\nleast moved: {best};  most moved: {worst}, {times:.0f} times as much")

# %% [markdown]
# ### 5.4 What does not get better here
#
# INT8 is often called faster. Measure before you repeat it: the two layers take turns, so that
# both meet the same conditions.

# %% tags=["validate"]
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
int8_layer = QuantizedLinear(float_layer)
batch = Tensor(rng.normal(0, 1, size=(64, 256)).astype(np.float32))
int8_layer.calibrate([batch])
float_ms, int8_ms = interleaved_ms(float_layer, int8_layer, batch)
print(f"FP32 {float_ms:.3f} ms, INT8 {int8_ms:.3f} ms per batch of 64")
print(f"INT8 takes {int8_ms / float_ms:.1f} times as long here")

copied = int8_layer.q_weight.data.astype(np.int32).nbytes / float_layer.weight.data.nbytes
print(f"an INT32 copy of the codes, made for the product, takes {copied:.1f} times the FP32 weight's bytes")

# %% [markdown]
# The reason lies below your code. For float32, numpy hands `@` to a BLAS library, which uses the
# processor's vector units and caches. For integers it has no such library: `@` runs numpy's
# own plain loop. And the codes are first copied to INT32, because numpy has no product that takes
# INT8 and accumulates in INT32. Processors do have such instructions; a library that uses them can
# be faster than FP32. The figure above says how far numpy is from that.
#
# So read your own tables: 5.1 says how many bytes are saved, 5.2 and 5.3 what that costs in
# accuracy and on what it depends. Nothing here shows that INT8 is faster.
#
# ## 6. Two questions to answer in writing
#
# Use figures from your own notebook. Half a page each is enough.

# %% [markdown] nbgrader={"grade": false, "grade_id": "task_calibration", "locked": true, "points": 10, "schema_version": 3, "solution": false, "task": true}
# **Question 1 (10 points): choosing a range.**
# Section 5.3 calibrates one model in four ways.
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
# **Question 2 (10 points): is it worth it?**
# Your team wants to put the classifier of section 5.2 and a model of two layers of width 2048 on the devices of
# section 1.1.
#
# a) For both models: what does INT8 change about where they fit? Give bytes, and say what the ratio is made
# of (weights, bias, overhead), and why it differs between the two.
#
# b) Someone writes in the release notes "quantized, therefore four times faster". Correct the sentence with
# your measurements, and say what would have to be true of the hardware and the library for INT8 to be faster.
#
# c) Name one layer or situation where you would leave float32 in place, and the measurement that would decide it.
#
# === BEGIN MARK SCHEME ===
# a) 4 points: the classifier's few kilobytes fit everywhere before and after, so nothing changes (1); width 2048 as
# measured in 5.1, with the budgets it meets and breaks before and after (1); ratio made of 1 byte per weight, 4 per bias element and 16 per
# layer of overhead (1); so it is below 4 for small layers and approaches 4 as width grows, since weights grow with the
# square of the width and biases linearly (1).
#
# b) 4 points: the measured ratio of times, and that INT8 is slower here (1); why: no integer BLAS, conversion to INT32 (1);
# needed: instructions that multiply INT8 and accumulate in INT32 and a library that uses them (1); less memory traffic helps only where
# the layer is bound by memory, or an equally sound condition (1).
#
# c) 2 points: a sound case (very small layer, first or last layer with a wide input range, a layer
# whose quantization moves the accuracy most, biases) (1) and a measurement that decides it, for
# example quantizing one layer at a time and measuring held-out accuracy (1).
# === END MARK SCHEME ===

# %% [markdown]
# *Your answer:*

# %% [markdown]
# ## What comes next
#
# You have made each parameter smaller and kept all of them. Module 17 asks the other question:
# how many of them are needed at all?
