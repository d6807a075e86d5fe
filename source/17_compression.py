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
#     number: 17
#     name: compression
#     title: Compression
#     tier: Optimization
#     difficulty: 3
#     time: 5-6 hours
#     prerequisites: [Profiling, Quantization]
#     export: optimization.compression
#     summary: Find out which weights a model needs, leave out the others, and measure what that saves and costs.
# ---

# %% [markdown]
# # Module 17: Compression
#
# Module 16 kept every weight and made each of them smaller. This module asks which weights are needed at all. You leave
# weights out one by one, leave out whole units, take a matrix apart into two thin ones, and teach a small model by a
# large one. Each time you measure bytes, accuracy and time, and hold the method against doing the same thing blindly.
#
# **At stake:** a model that reads handwritten digits and takes 67 KB. It has to fit into the 8 KB that a sensor chip has
# for it, and may misread at most one digit in a hundred more than before. Which of the methods get there, and what has
# to come after them, you find out in part 8.
#
# The path is the same as in the other optimization modules:
#
# | step | question | where |
# |---|---|---|
# | Profile | how large are the weights of a trained model? | part 1 |
# | Discover | how many of them could go? | part 1 |
# | Implement | which ones go, what comes after, and what takes their place? | parts 2 to 7 |
# | Validate | what did it save, what did it cost, and was it the method that did it? | part 8 |
#
# **When you are done you can**
#
# 1. prune to an exact share by rank, and say why a threshold does not do that;
# 2. train a pruned model on without losing its zeros;
# 3. find out layer by layer what pruning costs, and choose shares that meet a budget;
# 4. tell apart what makes a model *sparse* from what makes it *smaller*, in bytes, operations and time;
# 5. take a layer apart with a known error, and say when that pays;
# 6. teach a small model by a large one, with a loss whose gradient you can derive.
#
# **What you need.** `Tensor` (module 01), `ReLU` (02), `Linear` and `Sequential` (03), `log_softmax` (04), gradients (05),
# `SGD` (06), `Trainer` (07), the digits (08), `model_parameters` and `analyze_weight_distribution` (14), `flat_layers`
# (16). The notebook runs on Python 3.11 or newer with numpy 2; the cells that draw, and nothing else, need matplotlib.
#
# **Connections**
#
# | module | gives this one | module | takes from it |
# |---|---|---|---|
# | 07 Training | the loop that repairs a pruned model | 18 Acceleration | smaller matrices, whose products it makes quick |
# | 14 Profiling | how large weights are, what a layer costs | 19 Benchmarking | models to choose from, on two axes |
# | 16 Quantization | the other half of a byte count | 20 Capstone | what the open division allows |
#
# **Where the code goes.** Cells that begin with `#| export` become `tinytorch.optimization.compression` when the module
# is *exported*, that is, written to a file.
#
# **How it is graded.** 80 points by tests, 20 for two written answers. A test cell has two halves: above the line
# `### JUDGE` your code is run, below it the results are judged, elsewhere. When it is graded, further checks run on
# other inputs. Each test judges one exercise: `stand_ins` puts right answers of the earlier ones in their places while
# a test runs, so that a mistake is counted once. A test that fails does not stop *Run all*. Cells marked **Warm-up**
# and **Validate** are never graded: run them, change them, break them.
#
# Two units, once and for all: 1 KB is 1024 bytes, and sparsity is a **fraction** from 0 to 1, never percent.

# %% nbgrader={"grade": false, "grade_id": "setup", "locked": true, "schema_version": 3, "solution": false, "task": false}
#| export
from collections.abc import Callable, Iterable, Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from tinytorch.core.activations import GELU, ReLU, Sigmoid, Tanh
from tinytorch.core.autograd import no_grad
from tinytorch.core.layers import Dropout, Linear, Sequential
from tinytorch.core.losses import CrossEntropyLoss, log_softmax
from tinytorch.core.optimizers import Optimizer
from tinytorch.core.tensor import Array, Tensor
from tinytorch.optimization.quantization import flat_layers
from tinytorch.profiling.profiler import model_parameters

# %% nbgrader={"grade": false, "grade_id": "workbench", "locked": true, "schema_version": 3, "solution": false, "task": false}
import copy
import time

from tinytorch.core.optimizers import SGD, AdamW
from tinytorch.core.training import CosineSchedule, Trainer
from tinytorch.data.digits import load_digits
from tinytorch.data.loader import DataLoader, TensorDataset
from tinytorch.notebook import pyplot, refusal, stand_ins
from tinytorch.profiling.profiler import Profiler, analyze_weight_distribution


def linear_from(weight, bias=None):
    """A Linear layer that holds copies of these numbers: weight (in, out), bias (out,) or None."""
    layer = Linear(weight.shape[0], weight.shape[1], bias=bias is not None)
    layer.weight.data = weight.copy()
    if bias is not None:
        layer.bias.data = bias.copy()
    return layer

# %% [markdown]
# ## 1. Warm-up: how large are the weights of a trained model?
#
# ### 1.1 The reader
#
# 64 pixels in, two hidden layers of 128 and 64 units, 10 classes. The digits are cut into three parts: the model learns
# from 1,150, you *choose* by another 288, and the 359 test digits say in the end whether the choice was good. Whoever
# chooses by the test digits no longer knows that.
#
# **Warm-up** (not graded): train the reader. That takes less than a second.

# %% tags=["warmup"]
def parts_of_the_digits():
    """Pixels and labels to learn from, to choose by and to test with."""
    images, labels = load_digits("train")
    order = np.random.default_rng(17).permutation(len(labels.data))
    pixels, labels = images.data.reshape(-1, 64)[order], labels.data[order]
    test_images, test_labels = load_digits("test")
    test = (test_images.data.reshape(-1, 64), test_labels.data)
    return (pixels[288:], labels[288:]), (pixels[:288], labels[:288]), test


LEARN, CHOOSE, TEST = parts_of_the_digits()


def batches(seed):
    """The digits to learn from, 32 at a time, in an order of its own in each pass."""
    return DataLoader(TensorDataset(Tensor(LEARN[0]), Tensor(LEARN[1])), batch_size=32, shuffle=True, seed=seed)


def reader_of(*widths, seed=17):
    """An untrained model of these widths, with a ReLU between any two layers."""
    np.random.seed(seed)
    layers = []
    for inputs, outputs in zip(widths, widths[1:]):
        layers += [Linear(inputs, outputs), ReLU()]
    return Sequential(*layers[:-1])


def train(model, epochs=20, lr=0.1, seed=17):
    """Train a model in place, as modules 06 and 07 do, at a falling rate; return it."""
    schedule = CosineSchedule(max_lr=lr, min_lr=lr / 100, total_epochs=epochs)
    trainer = Trainer(model, SGD(model.parameters(), lr=lr, momentum=0.9), CrossEntropyLoss(), scheduler=schedule)
    loader = batches(seed)
    for _ in range(epochs):
        trainer.train_epoch(loader)
    return model


def accuracy(model, part=TEST):
    """Share of digits that a model reads rightly."""
    pixels, labels = part
    return float(np.mean(model.forward(Tensor(pixels)).data.argmax(axis=1) == labels))


reader = train(reader_of(64, 128, 64, 10))
reader_bytes = sum(tensor.nbytes for tensor in model_parameters(reader))
print(f"the reader has {Profiler().count_parameters(reader):,} parameters in {reader_bytes / 1024:.1f} KB")
for name, part in (("learned from", LEARN), ("to choose by", CHOOSE), ("test", TEST)):
    print(f"of the {len(part[1]):>5,} digits ({name}) it reads {accuracy(reader, part):.1%}")

# %% [markdown]
# ### 1.2 The histogram
#
# `analyze_weight_distribution` of module 14 says how large weights are in magnitude. The next cell asks it about the
# trained reader, and about the same model before training.
#
# **Predict before you run.** The largest weight of the trained reader: how many times as large as the median one is it?
# And is that number larger or smaller before training?
#
# **Warm-up** (not graded): percentiles of the magnitudes.

# %% tags=["warmup"]
PERCENTILES = [10, 25, 50, 75, 90, 99]
distributions = {
    "before training": analyze_weight_distribution(reader_of(64, 128, 64, 10), PERCENTILES),
    "trained": analyze_weight_distribution(reader, PERCENTILES),
}
print(f"{'percentile':<18}" + "".join(f"{percent:>8}" for percent in PERCENTILES) + f"{'largest':>9}")
for name, figures in distributions.items():
    row = [figures[f"percentile_{percent}"] for percent in PERCENTILES] + [figures["max"]]
    print(f"{name:<18}" + "".join(f"{magnitude:>8.3f}" for magnitude in row))
for name, figures in distributions.items():
    print(
        f"{name}: the largest weight is {figures['max'] / figures['percentile_50']:.1f} times the median, "
        f"{figures['below_threshold_01']:.0f} % are below 0.1 and {figures['below_threshold_001']:.0f} % below 0.01"
    )

# %% [markdown]
# **Warm-up** (not graded): the same as a picture. Its code is folded; click on the dots to see it.

# %% tags=["warmup"] jupyter={"source_hidden": true}
plt = pyplot()
if plt:
    figure, (left, right) = plt.subplots(1, 2, figsize=(9, 3.3))
    for layer, place in zip(
        [layer for layer in reader.layers if isinstance(layer, Linear)], ("first", "second", "last")
    ):
        label = f"{place} layer, {layer.weight.size:,} weights"
        left.hist(layer.weight.data.ravel(), bins=50, range=(-1, 1), histtype="step", density=True, label=label)
    left.set_xlabel("weight, trained reader")
    left.set_xticks([-1, -0.5, 0, 0.5, 1])
    left.set_ylabel("density")
    left.legend(fontsize=7)
    for name, model in (("before training", reader_of(64, 128, 64, 10)), ("trained", reader)):
        squares = np.sort(np.concatenate([w.data.ravel() ** 2 for w in model_parameters(model) if len(w.shape) == 2]))
        right.plot(np.linspace(0, 1, len(squares)), np.cumsum(squares) / squares.sum(), label=name)
    right.set_xlabel("share of the weights, smallest first")
    right.set_ylabel("share of the sum of squares")
    right.legend(fontsize=8)
    figure.tight_layout()
    plt.show()

# %% [markdown]
# ### 1.3 How many could go?
#
# A weight near zero hardly moves a sum. So let all weights below a threshold be zero and look what is still read.
# Biases stay as they are.
#
# **Predict before you run.** At which threshold does the reader begin to misread? How many weights are left then?
#
# **Warm-up** (not graded): thresholds, one after the other; and the same number of weights, taken at random.

# %% tags=["warmup"]
def without(model, is_gone):
    """A copy of a model whose weights are zero where is_gone(array) is true."""
    pruned = copy.deepcopy(model)
    for layer in pruned.layers:
        if isinstance(layer, Linear):
            layer.weight.data = layer.weight.data * ~is_gone(layer.weight.data)
    return pruned


rng = np.random.default_rng(17)
before = accuracy(reader, CHOOSE)
total = distributions["trained"]["total_weights"]
print(f"{'threshold':>9} {'weights left':>13} {'accuracy':>9}   {'as many, at random':>18}")
for threshold in (0.0, 0.02, 0.05, 0.1, 0.15, 0.2, 0.3, 0.5):
    pruned = without(reader, lambda array: np.abs(array) < threshold)
    left = sum(int(np.count_nonzero(layer.weight.data)) for layer in pruned.layers if isinstance(layer, Linear))
    blind = [accuracy(without(reader, lambda array: rng.random(array.shape) >= left / total), CHOOSE) for _ in range(5)]
    print(f"{threshold:>9.2f} {left / total:>13.1%} {accuracy(pruned, CHOOSE):>9.1%}   {np.mean(blind):>18.1%}")
print(f"(the whole reader: {before:.1%})")

# %% [markdown]
# Look at the two columns side by side. What makes the difference is not that few weights are left, but *which* ones.
#
# A threshold is a poor handle, though. 0.1 means much in one model and nothing in the next (the table in 1.2 has two
# models of one shape), and nobody asks for a threshold: one asks for a share, or for bytes. And with a threshold,
# weights of the same magnitude go together or not at all: of a million equal weights you cannot let half go. So the
# next part counts.
#
# ## 2. Weights that are zero
#
# ### Exercise 1: `weights_of` (3 points, about 5 minutes)
#
# A model has two kinds of parameters. **Weights** stand in arrays with two axes or more: each belongs to one pair of
# input and output. **Biases** (and the scales of norms) have one axis; they are few, and each is for all that passes
# through its unit. Pruning is about weights, everywhere in this module: biases are neither pruned nor counted.

# %% nbgrader={"grade": false, "grade_id": "weights_of", "locked": false, "schema_version": 3, "solution": true, "task": false}
#| export
def weights_of(model: Any) -> list[Tensor]:
    """The weights of a model: its parameters that have two axes or more.

    Returns:
        list of the Tensors themselves, each once, in the order of `model_parameters(model)` (module 14).

    >>> [weight.shape for weight in weights_of(Sequential(Linear(3, 2), ReLU(), Linear(2, 4)))]
    [(3, 2), (2, 4)]

    Hint: what tells the shape of a weight from that of a bias?
    """
    ### BEGIN SOLUTION
    return [tensor for tensor in model_parameters(model) if len(tensor.shape) >= 2]
    ### END SOLUTION

# %% tags=["raises-exception"] nbgrader={"grade": true, "grade_id": "test_weights_of", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false}
first = np.array([[1.0, -2.0], [3.0, 4.0], [5.0, 6.0]], dtype=np.float32)
bias = np.array([7.0, 8.0], dtype=np.float32)
last = np.array([[9.0], [10.0]], dtype=np.float32)
model = Sequential(linear_from(first, bias), ReLU(), linear_from(last))
arrays = [tensor.data for tensor in weights_of(model)]
for tensor in weights_of(model):
    tensor.data = tensor.data + 1
changed = [model.layers[0].weight.data, model.layers[0].bias.data, model.layers[2].weight.data]
### JUDGE
assert len(arrays) == 2, f"the model has two weights and one bias, so two Tensors are asked for; got {len(arrays)}"
assert np.array_equal(arrays[0], first) and np.array_equal(arrays[1], last), (
    "the weights must come in the order of the layers, first the (3, 2) one, then the (2, 1) one"
)
assert len(changed) == 3 and np.array_equal(changed[0], first + 1) and np.array_equal(changed[2], last + 1), (
    "the Tensors of the model itself are asked for: what is done to them must be done to the model"
)
assert np.array_equal(changed[1], bias), "the bias is no weight"


### BEGIN HIDDEN TESTS
class Kernel:
    """A layer of somebody else's: a scale with one axis, and a weight with three."""

    def __init__(self, values):
        self.scale, self.kernel = Tensor(np.ones(4)), Tensor(values)

    def __call__(self, x):
        return x

    def parameters(self):
        return [self.scale, self.kernel]


class Bare:
    """A model that has layers and no parameters()."""

    def __init__(self, *layers):
        self.layers = list(layers)


numbers = np.arange(60, dtype=np.float32)
cube, square, tied = numbers[:24].reshape(2, 3, 4), numbers[24:40].reshape(4, 4), numbers[40:].reshape(5, 4)
twice = linear_from(tied, numbers[:4])
nested = Sequential(Kernel(cube), Sequential(ReLU(), linear_from(square, numbers[4:8])), twice, Sequential(twice))
nested_arrays = [tensor.data for tensor in weights_of(nested)]
bare_arrays = [tensor.data for tensor in weights_of(Bare(ReLU(), Bare(linear_from(square)), linear_from(tied)))]
nothing = len(weights_of(Sequential(ReLU())))
single = [tensor.data for tensor in weights_of(linear_from(numbers[:1].reshape(1, 1), numbers[:1]))]
### JUDGE
assert len(nested_arrays) == 3 and all(map(np.array_equal, nested_arrays, (cube, square, tied))), (
    "every parameter with two axes or more is a weight, in layers of any kind and in containers too; a Tensor that is used twice counts once"
)
assert len(bare_arrays) == 2 and all(map(np.array_equal, bare_arrays, (square, tied))), (
    "a model that has nothing but a list of layers has weights as well"
)
assert nothing == 0, "a model that learns nothing has no weights"
assert len(single) == 1 and np.array_equal(single[0], [[0.0]]), "a weight of a single number is a weight"
### END HIDDEN TESTS

# %% [markdown]
# ### Exercise 2: `measure_sparsity` (4 points, about 10 minutes)
#
# Which share of *all* weights is zero? A layer with many weights counts for more than one with few.

# %% nbgrader={"grade": false, "grade_id": "measure_sparsity", "locked": false, "schema_version": 3, "solution": true, "task": false}
#| export
def measure_sparsity(model: Any) -> float:
    """The fraction of a model's weights that are zero, from 0 to 1. Biases are not counted.

    Raises:
        ValueError: the model has no weights.

    >>> measure_sparsity(Sequential(Linear(3, 2)))
    0.0

    Hints:
        1. What has to be added up over the layers before anything is divided?
        2. Which count would have to stand below the line for a model without weights?
    """
    ### BEGIN SOLUTION
    weights = weights_of(model)
    total = sum(weight.size for weight in weights)
    if total == 0:
        raise ValueError("measure_sparsity: this model has no weights")
    zeros = sum(weight.size - int(np.count_nonzero(weight.data)) for weight in weights)
    return zeros / total
    ### END SOLUTION

# %% tags=["raises-exception"] nbgrader={"grade": true, "grade_id": "test_measure_sparsity", "locked": true, "points": 4, "schema_version": 3, "solution": false, "task": false}
first = np.array([[0.0, 2.0], [0.0, -1.0]], dtype=np.float32)
last = np.array([[0.5, 0.0, 3.0], [1.0, -4.0, 0.1]], dtype=np.float32)
model = Sequential(
    linear_from(first, np.zeros(2, dtype=np.float32)), ReLU(), linear_from(last, np.ones(3, dtype=np.float32))
)
with stand_ins(weights_of=lambda model: [model.layers[0].weight, model.layers[2].weight]):
    sparsity = measure_sparsity(model)
### JUDGE
assert np.ndim(sparsity) == 0, f"the sparsity is one number, got {sparsity!r}"
assert not np.isclose(sparsity, 5 / 15) or np.isclose(sparsity, 0.3), "biases are not counted, nor are their zeros"
assert np.isclose(sparsity, 0.3, rtol=1e-6, atol=0), (
    f"3 of the 10 weights are zero, so the fraction is 0.3 (a fraction, not percent); got {sparsity}"
)
### BEGIN HIDDEN TESTS
rng = np.random.default_rng(1702)
wide = rng.normal(size=(40, 30)).astype(np.float32)
wide[rng.uniform(size=wide.shape) < 0.37] = 0
narrow = np.array([[1e-30, -0.0], [0.0, 5.0]], dtype=np.float32)
cases = [[narrow], [wide], [wide, narrow], [np.zeros((3, 4), dtype=np.float16)], [np.ones((2, 2), dtype=np.float32)]]
cases += [[np.zeros((1, 1), dtype=np.float32), np.ones((1, 7), dtype=np.float32)]]
answers = []
for arrays in cases:
    chain = [linear_from(array, np.zeros(array.shape[1], dtype=np.float32)) for array in arrays]
    with stand_ins(weights_of=lambda model: [layer.weight for layer in model.layers]):
        answers.append(measure_sparsity(Sequential(*chain)))
with stand_ins(weights_of=lambda model: []):
    no_weights = refusal(measure_sparsity, Sequential(ReLU()))
### JUDGE
assert len(answers) == len(cases), "each model has a sparsity"
for case, answer in zip(cases, answers, strict=True):
    zeros, count = sum(int(np.sum(part == 0)) for part in case), sum(part.size for part in case)
    assert np.ndim(answer) == 0 and np.isclose(answer, zeros / count, rtol=1e-6, atol=1e-12), (
        "the sparsity must be the zeros of all weights by the number of all weights: small numbers are no zeros, biases do not count"
    )
assert no_weights == "ValueError", "a model without weights must raise ValueError"
### END HIDDEN TESTS

# %% [markdown]
# ### Exercise 3: `magnitude_masks` (9 points, about 30 minutes)
#
# Now the decision itself. A **mask** has the shape of a weight: `True` where the weight stays, `False` where it becomes
# zero.
#
# - Exactly `round(sparsity · n)` of all n weights go, whatever their values. Not about so many: a budget is a budget.
# - Those go whose magnitude is smallest **among all weights of all arrays together**. So a layer of small weights gives
#   more than a layer of large ones. (Hand over one array, and you have the rule *within a layer*.)
# - Among equal magnitudes the earlier ones go: arrays in the order of the list, and each row by row. Then everybody
#   gets the same masks.
#
# The picture in words: lay all magnitudes in one long row, rank them, cross out the first so many, and cut the row into
# pieces again.

# %% nbgrader={"grade": false, "grade_id": "magnitude_masks", "locked": false, "schema_version": 3, "solution": true, "task": false}
#| export
def magnitude_masks(weights: Sequence[Array], sparsity: float) -> list[Array]:
    """Which weights stay when the smallest of all go.

    Args:
        weights: arrays of any shapes. They are not changed.
        sparsity: the fraction of all weights that goes, from 0 to 1.

    Returns:
        for each array a mask of its shape, of dtype bool: True where the weight stays. Exactly round(sparsity * n) of
        the n weights go, those of the smallest magnitude; among equals the earlier go.

    Raises:
        ValueError: sparsity is not from 0 to 1.

    >>> [mask.tolist() for mask in magnitude_masks([np.array([[3.0, -1.0]]), np.array([[2.0], [1.0]])], 0.25)]
    [[[True, False]], [[True], [True]]]

    Hints:
        1. Do the example on paper: which two have the same magnitude, and which of them goes?
        2. numpy can give you the *places* in the order of the values. What must it do with equals?
        3. Cut the long row where each array ends.
    """
    ### BEGIN SOLUTION
    if not 0 <= sparsity <= 1:
        raise ValueError(f"sparsity is a fraction from 0 to 1, got {sparsity}")
    magnitudes = np.abs(np.concatenate([array.ravel() for array in weights]))
    stays = np.ones(magnitudes.size, dtype=bool)
    stays[np.argsort(magnitudes, kind="stable")[: round(sparsity * magnitudes.size)]] = False
    pieces = np.split(stays, np.cumsum([array.size for array in weights])[:-1])
    ### EQUIVALENT 40fdceeb by masks: there are as many pieces as arrays
    ### EQUIVALENT 52090305 by masks: there are as many pieces as arrays
    return [piece.reshape(array.shape) for piece, array in zip(pieces, weights, strict=True)]
    ### END SOLUTION

# %% tags=["raises-exception"] nbgrader={"grade": true, "grade_id": "test_magnitude_masks", "locked": true, "points": 9, "schema_version": 3, "solution": false, "task": false}
first = np.array([[0.5, -0.1, 2.0], [-0.3, 0.2, -1.0]], dtype=np.float32)
second = np.array([[0.05, -0.02], [0.3, 0.04]], dtype=np.float32)
half = magnitude_masks([first, second], 0.5)
tie = magnitude_masks([first, second], 0.6)
equal = magnitude_masks([np.full((2, 3), -2.0, dtype=np.float32)], 0.5)
ends = [magnitude_masks([second], share)[0] for share in (0.0, 1.0)]
too_much = refusal(magnitude_masks, [first], 1.5)
### JUDGE
assert len(half) == 2 and [np.shape(mask) for mask in half] == [(2, 3), (2, 2)], (
    f"each array has a mask of its own shape, (2, 3) and (2, 2); got {[np.shape(mask) for mask in half]}"
)
assert all(mask.dtype == bool for mask in half), f"masks are of dtype bool, got {[mask.dtype for mask in half]}"
gone = sum(int(np.sum(~mask)) for mask in half)
assert gone == 5, f"a sparsity of 0.5 takes 5 of these 10 weights, got {gone}"
assert half[0].tolist() == [[True, False, True], [True, False, True]], (
    "of all ten together the smallest five go, whichever layer they are in: of the first array -0.1 and 0.2; the mask is\n"
    f"{half[0]}"
)
assert half[1].tolist() == [[False, False], [True, False]], (
    f"of the second array all but 0.3 go; the mask is\n{half[1]}"
)
assert len(tie) == 2 and [mask.tolist() for mask in tie] == [
    [[True, False, True], [False, False, True]],
    [[False, False], [True, False]],
], "the sixth weight is one of two of magnitude 0.3: the earlier one goes"
assert len(equal) == 1 and equal[0].tolist() == [[False] * 3, [True] * 3], (
    f"of six equal weights exactly three go, the first three; the mask is\n{equal[0]}"
)
assert [mask.tolist() for mask in ends] == [[[True] * 2] * 2, [[False] * 2] * 2], (
    "a sparsity of 0 takes nothing, a sparsity of 1 everything"
)
assert too_much == "ValueError", f"a sparsity of 1.5 must raise ValueError, got {too_much}"
### BEGIN HIDDEN TESTS
rng = np.random.default_rng(1703)
coarse = [rng.integers(-4, 5, size=shape).astype(np.float32) for shape in ((40, 25), (25, 31), (3, 4, 5), (1, 1))]
fine = [rng.normal(0, spread, size=(60, 9)).astype(np.float32) for spread in (0.01, 1.0, 30.0)]
few = [np.array([[3.0, -2.0, 7.0, 5.0, 1.0, 6.0, -4.0]], dtype=np.float32)]
tied = [np.array([[4.0, 1.0], [1.0, 2.0]], dtype=np.float32), np.array([[-1.0, 1.0, -3.0]], dtype=np.float32)]
groups = [coarse, fine, few, tied]
shares = [0.0, 0.08, 0.13, 0.36, 0.5, 0.64, 0.77, 0.9, 0.995, 1.0]
handed = [[array.copy() for array in group] for group in groups]
answers = [[magnitude_masks(group, share) for share in shares] for group in handed]
refusals = [refusal(magnitude_masks, few, share) for share in (-0.1, 1.01, 50)]
### JUDGE
for group, after, results in zip(groups, handed, answers, strict=True):
    assert all(map(np.array_equal, group, after)), "the arrays must be left as they were"
    row = np.concatenate([array.ravel() for array in group]).astype(np.float64)
    order = np.lexsort((np.arange(row.size), np.abs(row)))
    for share, masks in zip(shares, results, strict=True):
        assert [np.shape(mask) for mask in masks] == [array.shape for array in group], (
            "each mask must have the shape of its array"
        )
        assert all(mask.dtype == bool for mask in masks), "masks are of dtype bool"
        wanted = np.ones(row.size, dtype=bool)
        wanted[order[: round(share * row.size)]] = False
        flat = np.concatenate([np.ravel(mask) for mask in masks])
        assert int(np.sum(~flat)) == round(share * row.size), "exactly round(sparsity * n) weights must go, ties or not"
        assert np.array_equal(flat, wanted), (
            "the smallest magnitudes of all arrays together must go, and among equals the earlier ones"
        )
assert refusals == ["ValueError"] * 3, "a sparsity below 0 or above 1 must raise ValueError"
### END HIDDEN TESTS

# %% [markdown]
# ### Exercise 4: `magnitude_prune` (4 points, about 10 minutes)
#
# The decision, carried out on a model. The Tensors stay the same objects (an optimizer may hold them); what changes is
# their `data`.

# %% nbgrader={"grade": false, "grade_id": "magnitude_prune", "locked": false, "schema_version": 3, "solution": true, "task": false}
#| export
def magnitude_prune(model: Any, sparsity: float = 0.9) -> Any:
    """Set the smallest weights of a model to zero, in place; return the model.

    Which ones: `magnitude_masks` of all its weights together.

    Hints:
        1. `weights_of` and `magnitude_masks` give two lists of the same length.
        2. What is a weight times a mask?
    """
    ### BEGIN SOLUTION
    weights = weights_of(model)
    ### EQUIVALENT 498766dd by pruned: there is a mask for each weight
    ### EQUIVALENT 480c3877 by pruned: there is a mask for each weight
    for weight, mask in zip(weights, magnitude_masks([weight.data for weight in weights], sparsity), strict=True):
        weight.data = np.where(mask, weight.data, 0)
    return model
    ### END SOLUTION

# %% tags=["raises-exception"] nbgrader={"grade": true, "grade_id": "test_magnitude_prune", "locked": true, "points": 4, "schema_version": 3, "solution": false, "task": false}
first = np.array([[0.5, -0.1], [-0.3, 0.2]], dtype=np.float32)
last = np.array([[0.05], [-0.6]], dtype=np.float32)
bias = np.array([0.01, 0.02], dtype=np.float32)
right_masks = [np.array([[True, False], [True, False]]), np.array([[False], [True]])]
model = Sequential(linear_from(first, bias), ReLU(), linear_from(last))
held = model.layers[0].weight
spare_parts = {
    "weights_of": lambda model: [model.layers[0].weight, model.layers[2].weight],
    "magnitude_masks": lambda weights, sparsity: [mask.copy() for mask in right_masks],
}
with stand_ins(**spare_parts):
    returned = magnitude_prune(model, 0.5)
pruned = [held.data, model.layers[2].weight.data]
bias_after = model.layers[0].bias.data
returned.layers.append(ReLU())
count = len(model.layers)
### JUDGE
assert len(pruned) == 2 and np.array_equal(pruned[0], np.array([[0.5, 0], [-0.3, 0]], dtype=np.float32)), (
    "where the mask is False a weight becomes zero, elsewhere it stays, in the Tensor that the model had before; "
    f"the first weight is\n{pruned[0]}"
)
assert np.array_equal(pruned[1], np.array([[0], [-0.6]], dtype=np.float32)), (
    f"each weight has its own mask; the last weight is\n{pruned[1]}"
)
assert np.array_equal(bias_after, bias), "biases are spared"
assert count == 4, "the model itself must be returned, not a copy"


### BEGIN HIDDEN TESTS
def exact_masks(weights, sparsity):
    if not 0 <= sparsity <= 1:
        raise ValueError("no share")
    row = np.concatenate([np.ravel(array) for array in weights])
    gone = np.lexsort((np.arange(row.size), np.abs(row)))[: round(sparsity * row.size)]
    flat = ~np.isin(np.arange(row.size), gone)
    ends = np.cumsum([array.size for array in weights])
    return [part.reshape(array.shape) for part, array in zip(np.split(flat, ends[:-1]), weights, strict=True)]


rng = np.random.default_rng(1704)
big, small, offsets = rng.integers(-6, 7, (7, 8)), rng.normal(0, 0.2, (8, 5)), rng.normal(0, 0.001, 8)
big, small, offsets = big.astype(np.float32), small.astype(np.float32), offsets.astype(np.float32)
results, biases, kinds = [], [], []
for share in (0.0, 0.35, 0.75, 1.0, None):
    chain = Sequential(linear_from(big, offsets), ReLU(), Sequential(linear_from(small)))
    tensors = [chain.layers[0].weight, chain.layers[2].layers[0].weight]
    with stand_ins(
        weights_of=lambda model: [model.layers[0].weight, model.layers[2].layers[0].weight], magnitude_masks=exact_masks
    ):
        back = magnitude_prune(chain) if share is None else magnitude_prune(chain, share)
    results.append([tensor.data for tensor in tensors])
    kinds.append([tensor.dtype.name for tensor in tensors])
    biases.append(back.layers[0].bias.data)
### JUDGE
row = np.concatenate([big.ravel(), small.ravel()])
order = np.argsort(np.abs(row), kind="stable")
assert len(results) == 5, "each pruned model has its weights"
for own_share, arrays, offset in zip((0.0, 0.35, 0.75, 1.0, 0.9), results, biases, strict=True):
    wanted = row.copy()
    wanted[order[: round(own_share * row.size)]] = 0
    assert [np.shape(array) for array in arrays] == [(7, 8), (8, 5)], "weights must keep their shapes"
    assert np.array_equal(np.concatenate([np.ravel(array) for array in arrays]), wanted), (
        "the smallest of all weights must be zero, the others as they were; if no sparsity is named it is 0.9"
    )
    assert np.array_equal(offset, offsets), "biases are spared, however small they are"
assert kinds == [["float32"] * 2] * 5, "a float32 weight must stay float32"
### END HIDDEN TESTS

# %% [markdown]
# ### Exercise 5: `stored_bytes` (5 points, about 15 minutes)
#
# A matrix with zeros in it takes as many bytes as one without: a float32 zero is four bytes. Zeros save something only
# if they are *stored* another way. The simplest one is a **bitmap**: one bit for each place says whether a number
# stands there, and then come the numbers that are not zero, one after the other.
#
# | a 4 × 6 weight, float32, 4 numbers not zero | bytes |
# |---|---|
# | as it is | 24 · 4 = 96 |
# | bitmap (24 bits) and numbers | 3 + 4 · 4 = 19 |
#
# Bits come in whole bytes: nine bits take two. Each weight is stored in the cheaper of the two ways; everything else as
# it is. This is the figure that part 8 draws accuracy against. (It is what a *file* or a flash memory holds. What a
# product needs is another matter, and measured there.)

# %% nbgrader={"grade": false, "grade_id": "stored_bytes", "locked": false, "schema_version": 3, "solution": true, "task": false}
#| export
def stored_bytes(model: Any) -> int:
    """Bytes that a model's parameters take when each weight is stored in the cheaper of two ways.

    A weight: as it is (`.nbytes`), or as a bitmap of one bit for each number, in whole bytes, followed by the numbers
    that are not zero (`.dtype.itemsize` bytes each). Other parameters, biases for example: as they are.

    Hints:
        1. Count the model of the test on paper first: two weights, one bias.
        2. `model_parameters` lists everything; which of it is a weight?
        3. How many bytes do 1, 8 and 9 bits take? Find an expression that gives all three.
    """
    ### BEGIN SOLUTION
    total = 0
    for tensor in model_parameters(model):
        size = tensor.nbytes
        if len(tensor.shape) >= 2:
            bitmap = (tensor.size + 7) // 8 + int(np.count_nonzero(tensor.data)) * tensor.dtype.itemsize
            size = min(size, bitmap)
        total += size
    return total
    ### END SOLUTION

# %% tags=["raises-exception"] nbgrader={"grade": true, "grade_id": "test_stored_bytes", "locked": true, "points": 5, "schema_version": 3, "solution": false, "task": false}
first = np.zeros((4, 6), dtype=np.float32)
first[0, 1], first[1, 1], first[2, 5], first[3, 0] = 1.0, -2.0, 0.5, 3.0
last = np.ones((6, 2), dtype=np.float32)
model = Sequential(linear_from(first, np.zeros(6, dtype=np.float32)), ReLU(), linear_from(last))
with stand_ins(weights_of=lambda model: [layer.weight for layer in model.layers if isinstance(layer, Linear)]):
    sparse_one = stored_bytes(Sequential(linear_from(first)))
    whole = stored_bytes(model)
### JUDGE
assert sparse_one == 19, f"24 bits are 3 bytes, and 4 numbers of 4 bytes come after them: 19, got {sparse_one}"
assert whole == 19 + 24 + 48, (
    f"19 for the first weight, 24 for its bias as it is, and 48 for the last weight, for which a bitmap would be dearer: 91, got {whole}"
)
### BEGIN HIDDEN TESTS
rng = np.random.default_rng(1705)
shapes, kinds = [(9, 1), (16, 4), (31, 33), (2, 4)], ["float32", "float32", "float16", "float32"]
stays = [rng.uniform(size=shape) >= share for shape, share in zip(shapes, (0.8, 0.1, 0.95, 1.0), strict=True)]
arrays = [(rng.normal(1, 0.1, size=mask.shape) * mask).astype(kind) for mask, kind in zip(stays, kinds, strict=True)]
edges = [np.zeros((1, 1), dtype=np.float32), *(np.eye(1, size, dtype=np.float32) for size in (7, 8, 9, 17))]
fraction = np.ones((8, 8), dtype=np.float32)
fraction[0, 0] = 0  # with the bitmap one number less, and more bytes
handed = [array.copy() for array in (*arrays, *edges, fraction)]
with stand_ins(weights_of=lambda model: [layer.weight for layer in model.layers]):
    single = [stored_bytes(Sequential(linear_from(tried_array))) for tried_array in handed]
    chain = Sequential(*(linear_from(part, np.zeros(part.shape[1], dtype=np.float32)) for part in handed[:4]))
    together = stored_bytes(chain)
with stand_ins(weights_of=lambda model: [model.layers[0].weight]):
    twice = stored_bytes(Sequential(chain.layers[0], chain.layers[0]))
with stand_ins(weights_of=lambda model: []):
    none = stored_bytes(Sequential(ReLU()))
### JUDGE
wanted = []
for own in (*arrays, *edges, fraction):
    wanted.append(min(own.nbytes, -(-own.size // 8) + int(np.sum(own != 0)) * own.itemsize))
assert len(single) == len(wanted) and all(isinstance(size, int | np.integer) for size in single), (
    "bytes are whole numbers"
)
assert single == wanted, (
    "each weight must be stored in the cheaper of the two ways: bits in whole bytes, numbers with the bytes of their type"
)
assert together == sum(wanted[:4]) + 4 * (1 + 4 + 33 + 4), (
    "each weight must be stored in its own cheaper way, and biases as they are, even if they are zero"
)
assert twice == wanted[0] + 4, "a layer that is used twice is stored once"
assert none == 0, "a model without parameters takes no bytes"
### END HIDDEN TESTS

# %% [markdown]
# ## 3. What comes after pruning
#
# ### 3.1 Train on, and keep the zeros
#
# A pruned model has lost something, and the weights that are left were not trained to do without the others. So it is
# trained on for a few passes: **fine-tuning**. But an optimizer knows nothing of masks. A weight of zero has a gradient
# like any other, and the momentum of earlier steps moves it too. Zeros do not stay zeros by themselves; 8.2 shows what
# is left of them after one pass.
#
# So the masks are put on again after every step. They have to be those from the pruning: whoever asks "where is a
# zero?" after each step finds none, and whoever asks *before* also holds fast a weight that just passes through zero on
# its way.
#
# ### Exercise 6: `masked_step` (6 points, about 15 minutes)

# %% nbgrader={"grade": false, "grade_id": "masked_step", "locked": false, "schema_version": 3, "solution": true, "task": false}
#| export
def masked_step(optimizer: Optimizer, weights: Sequence[Tensor], masks: Sequence[Array]) -> None:
    """One step of an optimizer, after which all weights are zero where their masks are False.

    Args:
        optimizer: holds the weights, and other parameters perhaps; gradients are there already.
        weights, masks: a mask for each weight, as `magnitude_masks` gives them. Masks are not changed.

    Hint: momentum moves a weight whose gradient is zero. What does that say about the order of the two things to do?
    """
    ### BEGIN SOLUTION
    optimizer.step()
    ### EQUIVALENT 8539978b by steps: there is a mask for each weight
    ### EQUIVALENT 4f8b6393 by steps: there is a mask for each weight
    for weight, mask in zip(weights, masks, strict=True):
        weight.data = np.where(mask, weight.data, 0)
    ### END SOLUTION

# %% tags=["raises-exception"] nbgrader={"grade": true, "grade_id": "test_masked_step", "locked": true, "points": 6, "schema_version": 3, "solution": false, "task": false}
mask = np.array([[True, False, True], [False, True, True]])
weight = Tensor(np.array([[1.0, 0.0, -2.0], [0.0, 0.0, 3.0]]), requires_grad=True)  # one weight is zero, and may stay
bias = Tensor(np.array([0.5, -0.5, 0.0]), requires_grad=True)
optimizer = SGD([weight, bias], lr=0.5, momentum=0.5)
weight.grad, bias.grad = np.full((2, 3), 2.0, dtype=np.float32), np.ones(3, dtype=np.float32)
masked_step(optimizer, [weight], [mask])
first_step = [weight.data.copy(), bias.data.copy()]
weight.grad, bias.grad = np.zeros((2, 3), dtype=np.float32), np.zeros(3, dtype=np.float32)
masked_step(optimizer, [weight], [mask])  # no gradient, but momentum
second_step = [weight.data.copy(), bias.data.copy()]
### JUDGE
for step in (first_step, second_step):
    assert [np.shape(part) for part in step] == [(2, 3), (3,)], "weight and bias must keep their shapes"
assert np.array_equal(np.asarray(first_step[0])[~mask], np.zeros(2)), (
    f"after a step the weight must be zero where the mask is False; it is\n{first_step[0]}"
)
assert np.allclose(first_step[0], [[0, 0, -3], [0, -1, 2]]), (
    f"where the mask is True the step must be the optimizer's, 0.5 * 2 down, also for a weight that was zero; it is\n{first_step[0]}"
)
assert np.allclose(first_step[1], [0, -1, -0.5]), f"what has no mask must be moved as well: the bias is {first_step[1]}"
assert np.array_equal(np.asarray(second_step[0])[~mask], np.zeros(2)), (
    f"momentum moves weights whose gradient is zero: mask after the step. The weight is\n{second_step[0]}"
)
assert np.allclose(second_step[0], [[-0.5, 0, -3.5], [0, -1.5, 1.5]]) and np.allclose(
    second_step[1], [-0.25, -1.25, -0.75]
), f"each call must be one step of the optimizer; the weight is\n{second_step[0]}"
### BEGIN HIDDEN TESTS
rng = np.random.default_rng(1706)
starts = [rng.normal(size=shape).astype(np.float32) for shape in ((5, 6), (6, 3), (6,))]
step_masks = [rng.uniform(size=start.shape) < 0.4 for start in starts[:2]]
gradients = [[rng.normal(size=start.shape).astype(np.float32) for start in starts] for _ in range(6)]
tensors = [Tensor(start, requires_grad=True) for start in starts]
adam = AdamW(tensors, lr=0.05, weight_decay=0.1)
handed_masks = [mask.copy() for mask in step_masks]
states = []
for number, step_gradients in enumerate(gradients):
    for tensor, gradient in zip(tensors, step_gradients, strict=True):
        tensor.grad = gradient.copy()
    if number == 0:
        adam.step()  # before anything was pruned: its momentum is there
    else:
        masked_step(adam, tensors[:2], handed_masks)
    states.append([tensor.data.copy() for tensor in tensors])
kinds = [tensor.data.dtype.name for tensor in tensors]
### JUDGE
own = [Tensor(start, requires_grad=True) for start in starts]
own_adam = AdamW(own, lr=0.05, weight_decay=0.1)
assert len(states) == 6, "each step leaves the model in a state"
for own_number, (own_gradients, after) in enumerate(zip(gradients, states, strict=True)):
    for own_tensor, own_gradient in zip(own, own_gradients, strict=True):
        own_tensor.grad = own_gradient.copy()
    own_adam.step()
    for own_tensor, own_mask in zip(own[: 2 if own_number else 0], step_masks, strict=False):
        own_tensor.data = own_tensor.data * own_mask
    assert [np.shape(array) for array in after] == [start.shape for start in starts], (
        "parameters must keep their shapes"
    )
    for own_mask, array in zip(step_masks[: 2 if own_number else 0], after, strict=False):
        assert not np.any(np.asarray(array)[~own_mask]), (
            "after every step all weights must be zero where their masks are False"
        )
    for array, own_tensor in zip(after, own, strict=True):
        assert np.allclose(array, own_tensor.data, rtol=1e-5, atol=1e-7), (
            "everything else must be moved as the optimizer moves it, once in each call"
        )
assert len(handed_masks) == 2 and all(map(np.array_equal, handed_masks, step_masks)), (
    "the masks must be left as they were"
)
assert kinds == ["float32"] * 3, "a float32 weight must stay float32"
### END HIDDEN TESTS

# %% [markdown]
# The loop around it is given.

# %% nbgrader={"grade": false, "grade_id": "fine_tune", "locked": true, "schema_version": 3, "solution": false, "task": false}
#| export
def fine_tune(
    model: Any, masks: Sequence[Array], optimizer: Optimizer, batches: Iterable[tuple[Tensor, Tensor]], epochs: int = 1
) -> None:
    """Train a pruned model on, in place; its weights stay zero where their masks are False.

    Args:
        masks: one for each of `weights_of(model)`.
        optimizer: holds the parameters of the model.
        batches: pairs of inputs and class numbers, to be passed over so many times.
    """
    weights, loss_of = weights_of(model), CrossEntropyLoss()
    for _ in range(epochs):
        for inputs, labels in batches:
            optimizer.zero_grad()
            loss_of(model(inputs), labels).backward()
            masked_step(optimizer, weights, masks)

# %% [markdown]
# ### 3.2 Which layer can spare how much?
#
# So far all weights are ranked in one row. That takes from each layer what is small, and does not ask what a layer
# *does*. The other way is to try: prune **one** layer, leave all others whole, and look at what the model still reads.
# Then the next sparsity, then the next layer. The table of all that is a **sensitivity scan**.
#
# ### Exercise 7: `sensitivity_scan` (7 points, about 20 minutes)
#
# Mind what must not happen: that a layer is still pruned while the next one is tried; or that the second sparsity is
# tried on what the first has left. Afterwards the model is what it was.

# %% nbgrader={"grade": false, "grade_id": "sensitivity_scan", "locked": false, "schema_version": 3, "solution": true, "task": false}
#| export
def sensitivity_scan(model: Any, evaluate: Callable[[Any], float], sparsities: Sequence[float]) -> list[list[float]]:
    """What a model is worth when one of its weights is pruned, for each weight and each sparsity.

    Args:
        model: is changed while it is tried, and is as before afterwards.
        evaluate: takes the model and gives a number, such as its accuracy. Called once for each weight and sparsity.
        sparsities: fractions from 0 to 1, in any order.

    Returns:
        a row for each of `weights_of(model)`, with what evaluate gave for each sparsity. Pruned are the smallest of
        this one weight (`magnitude_masks` of its array alone), all other weights being whole.

    Hints:
        1. Two loops. What has to be remembered before the inner one, and what has to be put back after it?
        2. Does what you remember change when the weight's array is written into?
    """
    ### BEGIN SOLUTION
    scores = []
    for weight in weights_of(model):
        whole = weight.data
        row = []
        for sparsity in sparsities:
            [mask] = magnitude_masks([whole], sparsity)
            weight.data = np.where(mask, whole, 0)
            row.append(evaluate(model))
        weight.data = whole
        scores.append(row)
    return scores
    ### END SOLUTION

# %% tags=["raises-exception"] nbgrader={"grade": true, "grade_id": "test_sensitivity_scan", "locked": true, "points": 7, "schema_version": 3, "solution": false, "task": false}
first = np.array([[1.0, 2.0], [3.0, 4.0]], dtype=np.float32)
last = np.array([[10.0, 20.0, 30.0, 40.0]], dtype=np.float32)
model = Sequential(linear_from(first, np.array([0.5, 0.5], dtype=np.float32)), linear_from(last))


def in_order(weights, sparsity):
    """Stands in for magnitude_masks where magnitudes grow in reading order."""
    return [(np.arange(array.size) >= round(sparsity * array.size)).reshape(array.shape) for array in weights]


def sum_of(model):
    return sum(float(tensor.data.sum()) for tensor in model.parameters())


with stand_ins(weights_of=lambda model: [layer.weight for layer in model.layers], magnitude_masks=in_order):
    scores = sensitivity_scan(model, sum_of, [0.75, 0.25, 0.5])
left = [tensor.data for tensor in model.parameters()]
### JUDGE
assert len(scores) == 2 and [len(row) for row in scores] == [3, 3], (
    f"two weights and three sparsities: two rows of three numbers; got {scores}"
)
assert np.allclose(scores[0], [105, 110, 108]), (
    "the sum of all parameters is 111; without 1, 2 and 3 of the first weight it is 105, without 1 it is 110, without 1 and 2 it is "
    f"108; got {scores[0]}"
)
assert np.allclose(scores[1], [51, 101, 81]), (
    f"while the last weight is tried, the first must be whole again: 51, 101 and 81; got {scores[1]}"
)
assert len(left) == 3 and np.array_equal(left[0], first) and np.array_equal(left[2], last), (
    "afterwards the model must be as it was before"
)
assert np.array_equal(left[1], [0.5, 0.5]), "biases are not pruned"


### BEGIN HIDDEN TESTS
def masks_of_row(weights, sparsity):
    row = np.concatenate([np.ravel(array) for array in weights])
    flat = np.ones(row.size, dtype=bool)
    flat[np.lexsort((np.arange(row.size), np.abs(row)))[: round(sparsity * row.size)]] = False
    ends = np.cumsum([array.size for array in weights])
    return [part.reshape(array.shape) for part, array in zip(np.split(flat, ends[:-1]), weights, strict=True)]


rng = np.random.default_rng(1707)
arrays = [rng.integers(-5, 6, size=shape).astype(np.float32) for shape in ((6, 7), (7, 5), (5, 2))]
offsets = [rng.normal(0, 1, size=size).astype(np.float32) for size in (7, 5, 2)]
chain = Sequential(*(linear_from(array, offset) for array, offset in zip(arrays, offsets, strict=True)))
tensors = [layer.weight for layer in chain.layers]
snapshots = []


def remember(tried):
    snapshots.append([layer.weight.data.copy() for layer in tried.layers])
    return 100.0 - len(snapshots)


tries = [0.9, 0.0, 0.33, 1.0]
with stand_ins(weights_of=lambda model: [layer.weight for layer in model.layers], magnitude_masks=masks_of_row):
    remembered = sensitivity_scan(chain, remember, tries)
    nothing_tried = sensitivity_scan(chain, remember, [])
after = [tensor.data for tensor in tensors]
offsets_after = [layer.bias.data for layer in chain.layers]
kinds = [array.dtype.name for array in after]
### JUDGE
assert len(snapshots) == 12, "evaluate must be called once for each weight and each sparsity"
assert np.shape(remembered) == (3, 4) and sorted(np.ravel(remembered).tolist()) == [
    float(number) for number in range(88, 100)
], "each row must hold what evaluate gave for each sparsity"
for layer in range(3):
    for column, share in enumerate(tries):
        tried = snapshots[round(99 - float(remembered[layer][column]))]
        wanted = [array.copy() for array in arrays]
        gone = np.lexsort((np.arange(arrays[layer].size), np.abs(arrays[layer]).ravel()))[
            : round(share * arrays[layer].size)
        ]
        wanted[layer].ravel()[gone] = 0
        assert len(tried) == 3 and all(map(np.array_equal, tried, wanted)), (
            "at each place of the table the one weight must be pruned to the one sparsity, from what it was at first, and all others whole"
        )
assert [len(row) for row in nothing_tried] == [0, 0, 0], (
    "no sparsities, no scores: a row without numbers for each weight"
)
assert len(after) == 3 and len(offsets_after) == 3, "afterwards the model must have its layers"
assert all(map(np.array_equal, after, arrays)) and all(map(np.array_equal, offsets_after, offsets)), (
    "afterwards the model must be as it was before, its Tensors too"
)
assert kinds == ["float32"] * 3, "a float32 weight must stay float32"
### END HIDDEN TESTS

# %% [markdown]
# ### 3.3 Choosing
#
# The scan says for each layer what each sparsity costs. The budget says how many weights may be left in the whole
# model. Which sparsities?
#
# The idea: **let no layer fall below a common floor, and let that floor be as high as the budget allows.** With a
# floor, each layer takes the largest sparsity whose score in the scan is at least the floor. A lower floor allows
# larger sparsities, so fewer weights are left. Begin with the highest score of the whole scan as the floor, and go down
# from score to score until the budget is met.
#
# By hand, for two layers of 100 weights each, of which 120 may be left:
#
# | scan | 0.0 | 0.5 | 0.9 |
# |---|---|---|---|
# | layer A | 96 % | 95 % | 70 % |
# | layer B | 96 % | 96 % | 94 % |
#
# Floor 96 %: A stays whole, B takes 0.5; 150 are left, too many. Floor 95 %: A takes 0.5, B takes 0.5; 100 are left.
# Done: `[0.5, 0.5]`.
#
# ### Exercise 8: `choose_sparsities` (8 points, about 30 minutes)

# %% nbgrader={"grade": false, "grade_id": "choose_sparsities", "locked": false, "schema_version": 3, "solution": true, "task": false}
#| export
def choose_sparsities(
    scores: Sequence[Sequence[float]], sizes: Sequence[int], sparsities: Sequence[float], most_left: int
) -> list[float]:
    """A sparsity for each weight, so that few enough numbers are left and no layer costs more than it has to.

    Args:
        scores: as `sensitivity_scan` gives them: a row for each weight, a column for each sparsity.
        sizes: how many numbers each weight has.
        sparsities: those of the columns, in any order.
        most_left: how many numbers may be left in all. A weight of n numbers at sparsity s has n - round(s * n) left.

    Returns:
        for each weight the largest sparsity whose score is at least the floor (0.0 where none is); the floor being
        the highest score of the table with which at most most_left numbers are left.

    Raises:
        ValueError: with no score as the floor few enough are left.

    Hints:
        1. Write the choice for *one* floor first. Then try floors. In which order?
        2. Scores need not fall from column to column: chance is in them.
        3. `max` takes a `default` for when there is nothing to compare.
    """
    ### BEGIN SOLUTION
    for floor in sorted({score for row in scores for score in row}, reverse=True):
        chosen = [
            ### EQUIVALENT faa588b9 by choices: rows, columns and sizes go together
            ### EQUIVALENT cc870ef4 by choices: rows, columns and sizes go together
            max((sparsity for sparsity, score in zip(sparsities, row, strict=True) if score >= floor), default=0.0)
            for row in scores
        ]
        ### EQUIVALENT 62f2bbd5 by choices: rows, columns and sizes go together
        ### EQUIVALENT 0936802e by choices: rows, columns and sizes go together
        left = sum(size - round(sparsity * size) for sparsity, size in zip(chosen, sizes, strict=True))
        if left <= most_left:
            return chosen
    raise ValueError(f"with these sparsities more than {most_left} weights are left")
    ### END SOLUTION

# %% tags=["raises-exception"] nbgrader={"grade": true, "grade_id": "test_choose_sparsities", "locked": true, "points": 8, "schema_version": 3, "solution": false, "task": false}
by_hand = choose_sparsities([[0.96, 0.95, 0.70], [0.96, 0.96, 0.94]], [100, 100], [0.0, 0.5, 0.9], 120)
scores = [[0.95, 0.94, 0.60], [0.95, 0.95, 0.93], [0.95, 0.90, 0.40]]
tight = choose_sparsities(scores, [100, 200, 10], [0.0, 0.5, 0.9], 75)
loose = choose_sparsities(scores, [100, 200, 10], [0.0, 0.5, 0.9], 310)
too_few = refusal(choose_sparsities, scores, [100, 200, 10], [0.0, 0.5, 0.9], 30)
### JUDGE
assert np.shape(by_hand) == (2,) and np.allclose(by_hand, [0.5, 0.5]), (
    f"the example above gives [0.5, 0.5], got {by_hand}"
)
assert np.shape(tight) == (3,) and np.allclose(tight, [0.5, 0.9, 0.5]), (
    "with the floor 0.93 there are 50 + 20 + 10 = 80 left, with 0.90 exactly 75, which is allowed: [0.5, 0.9, 0.5]; "
    f"got {tight}"
)
assert np.shape(loose) == (3,) and np.allclose(loose, [0.0, 0.5, 0.0]), (
    f"where everything may be left, the floor stays at the highest score, and what costs nothing is taken: [0, 0.5, 0], got {loose}"
)
assert too_few == "ValueError", f"at most pruning 10 + 20 + 1 = 31 are left, so 30 must raise ValueError; got {too_few}"


### BEGIN HIDDEN TESTS
def random_case(number):
    rng = np.random.default_rng(17080 + number)
    columns, layers = int(rng.integers(1, 6)), int(rng.integers(1, 5))
    shares = rng.permutation([0.1, 0.25, 0.37, 0.6, 0.85, 0.98])[:columns].tolist()
    table = np.round(rng.uniform(0.4, 1, size=(layers, columns)), 2).tolist()
    counts = rng.integers(3, 400, size=layers).tolist()
    floor = rng.choice(np.ravel(table))  # the budget is met exactly with it
    picks = np.where(np.asarray(table) >= floor, shares, 0.0).max(axis=1).tolist()
    return table, counts, shares, sum(count - round(pick * count) for pick, count in zip(picks, counts, strict=True))


cases = [random_case(number) for number in range(40)]
chosen = [list(choose_sparsities(*random_case(number))) for number in range(40)]
uneven = list(choose_sparsities([[0.9, 0.7, 0.9, 0.6], [0.8, 0.85, 0.3, 0.85]], [50, 60], [0.2, 0.4, 0.6, 0.8], 62))
edge = [list(choose_sparsities([[0.5, 0.4]], [10], [0.3, 0.6], most)) for most in (4, 6, 7)]
impossible = [refusal(choose_sparsities, [[0.5, 0.4]], [10], [0.3, 0.6], most) for most in (3, 0)]


### JUDGE
def right_choice(table, counts, shares, most):
    for floor in np.unique(table)[::-1]:
        picks = np.where(np.asarray(table) >= floor, np.asarray(shares)[None, :], 0.0).max(axis=1)
        if sum(count - round(pick * count) for pick, count in zip(picks.tolist(), counts, strict=True)) <= most:
            return picks
    return None


assert len(chosen) == len(cases), "each table has its choice"
for case, answer in zip(cases, chosen, strict=True):
    assert np.shape(answer) == (len(case[0]),), "there is one sparsity for each weight"
    assert np.allclose(answer, right_choice(*case)), (
        "each weight must take the largest sparsity whose score is at least the floor, the floor being the highest with which few enough are left"
    )
assert np.shape(uneven) == (2,) and np.allclose(uneven, [0.6, 0.8]), (
    "a larger sparsity counts even if a smaller one scores less"
)
assert [np.round(answer, 6).tolist() for answer in edge] == [[0.6], [0.6], [0.3]], "exactly most_left is few enough"
assert impossible == ["ValueError"] * 2, "a budget that no floor meets must raise ValueError"
### END HIDDEN TESTS

# %% [markdown]
# With the choice made, each weight is pruned to its own sparsity. This is given; the masks come back for fine-tuning.

# %% nbgrader={"grade": false, "grade_id": "prune_each", "locked": true, "schema_version": 3, "solution": false, "task": false}
#| export
def prune_each(model: Any, sparsities: Sequence[float]) -> list[Array]:
    """Prune each weight of a model to a sparsity of its own, in place; return the masks."""
    masks = []
    for weight, sparsity in zip(weights_of(model), sparsities, strict=True):
        masks += magnitude_masks([weight.data], sparsity)
        weight.data = weight.data * masks[-1]
    return masks

# %% [markdown]
# ## 4. Smaller matrices
#
# Zeros that are scattered over a matrix are still multiplied: numpy does not look. What makes a *product* smaller is to
# take out whole units. A hidden unit is a column of one layer's weight, an entry of its bias, and a **row of the next
# layer's weight**. All three go, and what is left moves together:
#
# ```
#   first layer (4 in, 5 units)            next layer (5 in, 2 out)
#        u0  u1  u2  u3  u4                     o0  o1
#   i0    .   x   .   x   .               u0     .   .
#   i1    .   x   .   x   .               u1     x   x      u1 and u3 go:
#   i2    .   x   .   x   .               u2     .   .      two columns, two entries of the bias,
#   i3    .   x   .   x   .               u3     x   x      and two rows of the next layer
#   bias  .   x   .   x   .               u4     .   .
# ```
#
# Inputs and classes stay, so the first layer keeps its rows and the last one its columns. A layer in the middle loses
# on both sides: with the share r of all units gone, (1 − r)² of its weights are left.
#
# ### Exercise 9: `units_to_keep` (5 points, about 15 minutes)
#
# Which units? Those whose columns are long: the L2 norm, that is the root of the sum of squares.

# %% nbgrader={"grade": false, "grade_id": "units_to_keep", "locked": false, "schema_version": 3, "solution": true, "task": false}
#| export
def units_to_keep(weight: Array, prune_ratio: float) -> Array:
    """Which columns of a weight (in, out) stay when the shortest go.

    Exactly round(prune_ratio * out) columns go, those with the smallest L2 norm, among equals the earlier; but at
    least one stays.

    Returns:
        the numbers of the columns that stay, in rising order, as an integer array.

    Raises:
        ValueError: prune_ratio is not from 0 to 1.

    >>> units_to_keep(np.array([[3.0, 0.0, 1.0], [4.0, 1.0, 1.0]]), 0.34).tolist()
    [0, 2]

    Hints:
        1. Compute the three norms of the example. Along which axis?
        2. Ranks again, as in exercise 3. In which order come the numbers out, and in which order are they wanted?
    """
    ### BEGIN SOLUTION
    if not 0 <= prune_ratio <= 1:
        raise ValueError(f"prune_ratio is a fraction from 0 to 1, got {prune_ratio}")
    norms = np.linalg.norm(weight, axis=0)
    ranks = np.argsort(np.argsort(norms, kind="stable"))
    return np.flatnonzero(ranks >= min(round(prune_ratio * norms.size), norms.size - 1))
    ### END SOLUTION

# %% tags=["raises-exception"] nbgrader={"grade": true, "grade_id": "test_units_to_keep", "locked": true, "points": 5, "schema_version": 3, "solution": false, "task": false}
weight = np.array([[3.0, 0.0, 1.0, -5.0], [4.0, 1.0, 1.0, 0.0]], dtype=np.float32)
half, three, everything = (np.asarray(units_to_keep(weight, ratio)) for ratio in (0.5, 0.75, 1.0))
negative = refusal(units_to_keep, weight, -0.5)
### JUDGE
assert half.tolist() == [0, 3], (
    f"the norms of the columns are 5, 1, 1.41 and 5: of four units the two shortest go, and 0 and 3 stay; got {half.tolist()}"
)
assert three.tolist() == [3], f"the two longest are equally long: the earlier goes, and 3 stays; got {three.tolist()}"
assert everything.tolist() == [3], f"at least one unit stays, the longest; got {everything.tolist()}"
assert negative == "ValueError", f"a negative ratio must raise ValueError, got {negative}"
### BEGIN HIDDEN TESTS
rng = np.random.default_rng(1709)
matrices = [rng.normal(size=(9, 40)).astype(np.float32), rng.integers(-3, 4, size=(2, 300)).astype(np.float32)]
matrices += [
    np.ones((5, 7), dtype=np.float32),
    np.array([[2.0]], dtype=np.float32),
    rng.normal(size=(60, 3)).astype(np.float32),
]
matrices[0] *= rng.uniform(0.2, 2, size=40).astype(np.float32)
ratios = [0.0, 0.04, 0.29, 0.5, 0.68, 0.98, 1.0]
answers = [[np.asarray(units_to_keep(matrix, ratio)) for ratio in ratios] for matrix in matrices]
refusals = [refusal(units_to_keep, matrices[0], ratio) for ratio in (-0.01, 1.5)]
### JUDGE
for matrix, results in zip(matrices, answers, strict=True):
    squares = (matrix.astype(np.float64) ** 2).sum(axis=0)
    ranked = np.lexsort((np.arange(squares.size), squares))
    for ratio, answer in zip(ratios, results, strict=True):
        count = max(squares.size - round(ratio * squares.size), 1)
        assert np.shape(answer) == (count,) and answer.dtype.kind in "iu", (
            "exactly round(prune_ratio * out) units must go, but at least one stays; the answer is an array of integers"
        )
        assert answer.tolist() == sorted(ranked[squares.size - count :].tolist()), (
            "the units with the longest columns (L2 norm) must stay, in rising order, and among equals the earlier must go"
        )
assert refusals == ["ValueError"] * 2, "a ratio below 0 or above 1 must raise ValueError"
### END HIDDEN TESTS

# %% [markdown]
# ### Exercise 10: `remove_units` (7 points, about 20 minutes)
#
# The three cuts of the picture. `Linear.weight` is `(in_features, out_features)`.

# %% nbgrader={"grade": false, "grade_id": "remove_units", "locked": false, "schema_version": 3, "solution": true, "task": false}
#| export
def remove_units(first: Linear, second: Linear, keep: Array) -> None:
    """Take all units but some out of the place between two layers, in place.

    Args:
        first: the layer that computes the units; it may have no bias.
        second: the layer that reads them.
        keep: the numbers of the units that stay, in rising order.

    Afterwards the arrays of both layers are smaller, `out_features` of the first and `in_features` of the second say
    so, and the Tensors are the same objects as before.

    Hints:
        1. Which axis of each array belongs to the units?
        2. Put a vector through both layers by hand, before and after. What may change in the second layer's output?
    """
    ### BEGIN SOLUTION
    first.weight.data = first.weight.data[:, keep]
    if first.bias is not None:
        first.bias.data = first.bias.data[keep]
    second.weight.data = second.weight.data[keep]
    first.out_features = second.in_features = len(keep)
    ### END SOLUTION

# %% tags=["raises-exception"] nbgrader={"grade": true, "grade_id": "test_remove_units", "locked": true, "points": 7, "schema_version": 3, "solution": false, "task": false}
w1 = np.arange(1.0, 21.0, dtype=np.float32).reshape(4, 5)
b1 = np.array([10.0, 20.0, 30.0, 40.0, 50.0], dtype=np.float32)
w2 = np.array([[1.0, 0.0], [0.0, 7.0], [2.0, 3.0], [9.0, 9.0], [-1.0, 1.0]], dtype=np.float32)
b2 = np.array([0.25, 0.75], dtype=np.float32)
first, second = linear_from(w1, b1), linear_from(w2, b2)
remove_units(first, second, np.array([0, 2, 4]))
shapes = [list(tensor.shape) for tensor in (first.weight, first.bias, second.weight, second.bias)]
arrays = [tensor.data for tensor in (first.weight, first.bias, second.weight, second.bias)]
features = [first.in_features, first.out_features, second.in_features, second.out_features]
output = Sequential(first, ReLU(), second)(Tensor(np.ones((1, 4)))).data
### JUDGE
assert shapes[:2] == [[4, 3], [3]], (
    f"the first layer must have 3 columns and 3 entries of its bias; shapes are {shapes[:2]}"
)
assert shapes[2:] == [[3, 2], [2]], (
    f"the second layer must have lost 2 rows, and keep its bias; shapes are {shapes[2:]}"
)
keep = [0, 2, 4]
assert len(arrays) == 4 and np.array_equal(arrays[0], w1[:, keep]), (
    f"columns 0, 2 and 4 must stay, in this order; the first weight is\n{arrays[0]}"
)
assert np.array_equal(arrays[1], b1[keep]), f"the bias must go with the columns: 10, 30, 50; got {arrays[1]}"
assert np.array_equal(arrays[2], w2[keep]), (
    f"the rows of the next layer must go with the units; the second weight is\n{arrays[2]}"
)
assert np.array_equal(arrays[3], b2), "the bias of the second layer belongs to its outputs, which all stay"
assert features == [4, 3, 3, 2], (
    f"in_features and out_features must say what is there now: 4, 3 and 3, 2; got {features}"
)
hidden = np.maximum(np.ones((1, 4)) @ w1[:, keep] + b1[keep], 0)
assert np.shape(output) == (1, 2) and np.allclose(output, hidden @ w2[keep] + b2), (
    f"the outputs must be those of the model without these units; got {output}"
)
### BEGIN HIDDEN TESTS
rng = np.random.default_rng(1710)
sizes = [(7, 12, 3), (1, 5, 6), (30, 2, 2), (3, 9, 1)]
kept = [[1, 2, 5, 6, 11], [4], [0, 1], [0, 8]]
weights = [
    [rng.normal(size=(a, b)).astype(np.float32), rng.normal(size=(b, c)).astype(np.float32)] for a, b, c in sizes
]
biases = [[rng.normal(size=b).astype(np.float32), rng.normal(size=c).astype(np.float32)] for _, b, c in sizes]
biases[2], biases[3] = [None, biases[2][1]], [biases[3][0], None]
inputs = [rng.normal(size=(6, a)).astype(np.float32) for a, _, _ in sizes]
outputs, after, numbers, kinds = [], [], [], []
for pair, offsets, units, x in zip(weights, biases, kept, inputs, strict=True):
    layers = [linear_from(array, offset) for array, offset in zip(pair, offsets, strict=True)]
    held = [layer.weight for layer in layers]
    remove_units(layers[0], layers[1], np.array(units))
    outputs.append(Sequential(layers[0], ReLU(), layers[1])(Tensor(x)).data)
    after.append([tensor.data for tensor in held])
    numbers.append([layers[0].in_features, layers[0].out_features, layers[1].in_features, layers[1].out_features])
    kinds.append([[list(tensor.shape) for tensor in layer.parameters()] for layer in layers])
### JUDGE
assert len(outputs) == 4 and len(after) == 4 and len(numbers) == 4, "four pairs of layers"
for case in range(4):
    (a, b, c), own_pair, own_units = sizes[case], weights[case], kept[case]
    first_offset, second_offset = (0 if own is None else own for own in biases[case])
    alive = np.isin(np.arange(b), own_units)
    hidden = np.maximum(inputs[case] @ own_pair[0] + first_offset, 0) * alive
    wanted = hidden @ own_pair[1] + second_offset
    assert np.shape(outputs[case]) == (6, c) and np.allclose(outputs[case], wanted, rtol=1e-4, atol=1e-5), (
        "the outputs must be those of the model in which the other units say zero"
    )
    arrays = after[case]
    assert len(arrays) == 2 and np.array_equal(arrays[0], own_pair[0][:, alive]), (
        "columns must keep their order, in the Tensor that the first layer had before"
    )
    assert np.array_equal(arrays[1], own_pair[1][alive]), (
        "the rows must go with the columns and keep their order, in the Tensor that the second layer had before"
    )
    assert numbers[case] == [a, len(own_units), len(own_units), c], (
        "in_features and out_features must say what is there now"
    )
    own_biases = [
        [[size]] if own is not None else [] for size, own in zip((len(own_units), c), biases[case], strict=True)
    ]
    assert kinds[case] == [[[a, len(own_units)], *own_biases[0]], [[len(own_units), c], *own_biases[1]]], (
        "the bias must go with the columns, and a layer without a bias must stay without"
    )
assert len(kinds) == 4, "four pairs of layers"
### END HIDDEN TESTS

# %% [markdown]
# For a whole model the two are put together, given: from the front to the back, for any two linear layers between which
# every number goes its own way (a ReLU, a Dropout; not a Softmax, which mixes the units).

# %% nbgrader={"grade": false, "grade_id": "structured_prune", "locked": true, "schema_version": 3, "solution": false, "task": false}
#| export
ELEMENTWISE = (ReLU, GELU, Tanh, Sigmoid, Dropout)


def structured_prune(model: Any, prune_ratio: float = 0.5) -> Any:
    """Take the share prune_ratio of the units out of each hidden layer of a model, in place; return the model.

    Inputs and outputs of the model stay. A hidden layer is one between two Linear layers with nothing but elementwise
    layers between them.

    >>> model = structured_prune(Sequential(Linear(8, 6), ReLU(), Linear(6, 2)), 0.5)
    >>> [weight.shape for weight in weights_of(model)]
    [(8, 3), (3, 2)]
    """
    layers = flat_layers(model)
    places = [place for place, layer in enumerate(layers) if isinstance(layer, Linear)]
    for here, there in pairwise(places):
        if all(isinstance(layer, ELEMENTWISE) for layer in layers[here + 1 : there]):
            first, second = layers[here], layers[there]
            remove_units(first, second, units_to_keep(first.weight.data, prune_ratio))
    return model

# %% [markdown]
# ## 5. Two thin matrices for one
#
# ### 5.1 What a rank is worth
#
# The third way leaves nothing out, at first sight. Every matrix W (m × n) is a sum of simple ones (the *singular value
# decomposition*):
#
# $$W = U\,\mathrm{diag}(s)\,V^T = \sum_i s_i\, u_i v_i^T,\qquad s_1 \ge s_2 \ge \dots \ge 0$$
#
# with columns $u_i$ and rows $v_i^T$ of length 1, at right angles to each other. Keep the first k terms, and the matrix
# has become a product of an m × k and a k × n matrix. No other matrix of rank k comes closer (Eckart and Young, 1936),
# and how close it comes is known without multiplying anything:
#
# $$\lVert W - W_k\rVert = \sqrt{s_{k+1}^2 + s_{k+2}^2 + \dots}$$
#
# **When it pays.** m · n numbers become k · (m + n). For k above m n / (m + n) that is *more* than before. For a square
# matrix this is half of its rank: a "compression" to three quarters of the rank makes it half as large again.
#
# ### Exercise 11: `low_rank_approximate` (7 points, about 25 minutes)

# %% nbgrader={"grade": false, "grade_id": "low_rank_approximate", "locked": false, "schema_version": 3, "solution": true, "task": false}
#| export
def low_rank_approximate(weight_matrix: Array, rank_ratio: float = 0.5) -> tuple[Array, Array, Array]:
    """The closest matrix of a lower rank, in three parts.

    Args:
        weight_matrix: (m, n). It is not changed.
        rank_ratio: the rank k is round(rank_ratio * min(m, n)), but at least 1.

    Returns:
        U (m, k), S (k,), V (k, n): U with columns and V with rows of length 1 at right angles, S positive and
        falling. (U * S) @ V is the approximation.

    Raises:
        ValueError: k * (m + n) is more than m * n: the two factors would take more numbers than the matrix.

    Hints:
        1. `np.linalg.svd` does the mathematics. Print the shapes of what it returns for a (6, 4) matrix, with and
           without `full_matrices=False`.
        2. Which part of each of the three belongs to the first k terms of the sum?
    """
    ### BEGIN SOLUTION
    rows, columns = weight_matrix.shape
    rank = max(1, round(rank_ratio * min(rows, columns)))
    if rank * (rows + columns) > rows * columns:
        raise ValueError(f"rank {rank} takes {rank * (rows + columns)} numbers, the matrix itself {rows * columns}")
    ### EQUIVALENT f2c082be by factors: more columns and rows come, and are cut off
    ### EQUIVALENT fac6b790 by factors: more columns and rows come, and are cut off
    u, s, v = np.linalg.svd(weight_matrix, full_matrices=False)
    return u[:, :rank], s[:rank], v[:rank]
    ### END SOLUTION

# %% tags=["raises-exception"] nbgrader={"grade": true, "grade_id": "test_low_rank_approximate", "locked": true, "points": 7, "schema_version": 3, "solution": false, "task": false}
matrix = np.array(
    [
        [4.0, 2.0, 0.0, 1.0],
        [2.0, 5.0, 1.0, 0.0],
        [0.0, 1.0, 3.0, -1.0],
        [1.0, 0.0, -1.0, 2.0],
        [3.0, -2.0, 1.0, 0.0],
        [0.0, 1.0, 2.0, 4.0],
    ],
    dtype=np.float32,
)
U, S, V = (np.asarray(part) for part in low_rank_approximate(matrix, 0.5))
shapes = [list(part.shape) for part in (U, S, V)]
lengths_and_angles = [U.T @ U, V @ V.T]
approximation = (U * S) @ V
too_high = refusal(low_rank_approximate, matrix, 0.75)
### JUDGE
assert shapes == [[6, 2], [2], [2, 4]], f"rank 2 of a (6, 4) matrix: shapes (6, 2), (2,) and (2, 4), got {shapes}"
left, singular, right = np.linalg.svd(matrix, full_matrices=False)
assert np.shape(S) == (2,) and np.allclose(S, singular[:2], rtol=1e-4), (
    f"S must hold the two largest singular values, {singular[:2]}, got {S}"
)
assert np.shape(lengths_and_angles) == (2, 2, 2) and np.allclose(lengths_and_angles, [np.eye(2)] * 2, atol=1e-4), (
    "columns of U and rows of V must have length 1 and stand at right angles"
)
assert np.shape(approximation) == (6, 4), (
    f"(U * S) @ V must have the shape of the matrix, got {np.shape(approximation)}"
)
error, least = np.linalg.norm(matrix - approximation), np.sqrt(np.sum(singular[2:] ** 2))
assert np.isclose(error, least, rtol=1e-3), (
    f"the error must be the root of the sum of squares of what was left out, {least:.4f}; got {error:.4f}"
)
assert np.allclose(approximation, (left[:, :2] * singular[:2]) @ right[:2], atol=1e-3), (
    f"no matrix of rank 2 comes closer than\n{(left[:, :2] * singular[:2]) @ right[:2]}\ngot\n{approximation}"
)
assert too_high == "ValueError", (
    f"rank 3 takes 3 * (6 + 4) = 30 numbers in place of 24 and must raise ValueError, got {too_high}"
)
### BEGIN HIDDEN TESTS
rng = np.random.default_rng(1711)
cases = [
    ((64, 64), 0.5),
    ((9, 70), 0.3),
    ((70, 9), 0.4),
    ((8, 8), 0.5),
    ((30, 40), 0.001),
    ((50, 6), 0.8),
    ((2, 2), 0.5),
    ((12, 20), 0.0),
]
matrices = [(rng.normal(size=shape) * rng.uniform(0.1, 3, size=shape[1])).astype(np.float32) for shape, _ in cases]
handed = [matrix.copy() for matrix in matrices]
answers = [
    list(map(np.asarray, low_rank_approximate(matrix, ratio))) for matrix, (_, ratio) in zip(handed, cases, strict=True)
]
square = np.diag([5.0, -4.0, 3.0, 2.0, 1.0, 0.5]).astype(np.float32)
default = list(map(np.asarray, low_rank_approximate(square)))
refusals = [
    refusal(low_rank_approximate, np.ones(shape, dtype=np.float32), ratio)
    for shape, ratio in (
        ((8, 8), 0.625),
        ((1, 5), 1.0),
        ((1, 1), 0.5),
        ((64, 64), 1.0),
        ((10, 90), 0.95),
        ((3, 2), 0.9),
    )
]
### JUDGE
for (shape, ratio), matrix, after, parts in zip(cases, matrices, handed, answers, strict=True):
    rank = max(1, round(ratio * min(shape)))
    assert [part.shape for part in parts] == [(shape[0], rank), (rank,), (rank, shape[1])], (
        "the rank must be round(rank_ratio * min(m, n)) and at least 1; a rank that takes exactly as many numbers as before is allowed"
    )
    left, middle, right = parts
    values = np.linalg.svd(matrix.astype(np.float64), compute_uv=False)
    scale = values[0]
    assert np.allclose(middle, values[:rank], rtol=1e-3, atol=1e-4 * scale), (
        "S must hold the largest singular values, falling"
    )
    assert np.allclose(left.T @ left, np.eye(rank), atol=1e-3) and np.allclose(
        right @ right.T, np.eye(rank), atol=1e-3
    ), "columns of U and rows of V must have length 1 and stand at right angles"
    missed = np.linalg.norm(matrix - (left * middle) @ right)
    assert abs(missed - np.sqrt(np.sum(values[rank:] ** 2))) <= 1e-3 * scale, "no matrix of this rank may come closer"
    assert np.array_equal(after, matrix), "the matrix must be left as it was"
assert [np.shape(part) for part in default] == [(6, 3), (3,), (3, 6)] and np.allclose(
    (default[0] * default[1]) @ default[2], np.diag([5, -4, 3, 0, 0, 0]), atol=1e-4
), "if no rank_ratio is named it is 0.5"
assert refusals == ["ValueError"] * 6, "a rank that takes more numbers than the matrix itself must raise ValueError"
### END HIDDEN TESTS

# %% [markdown]
# ### Exercise 12: `factorized` (3 points, about 15 minutes)
#
# From three parts to two layers. The output of the new layers must be that of one layer with the approximated weight. Where the
# singular values go would be all the same for that. It is not for training on: a factor of large numbers beside one of small
# numbers makes steps too long for the one and too short for the other. So both get the same share, the root: U√S and √S V.

# %% nbgrader={"grade": false, "grade_id": "factorized", "locked": false, "schema_version": 3, "solution": true, "task": false}
#| export
def factorized(layer: Linear, rank_ratio: float = 0.5) -> Sequential:
    """Two Linear layers in the place of one, by `low_rank_approximate`.

    Returns:
        Sequential of a layer (in, k) without a bias, whose weight is U with its columns times the roots of S, and a
        layer (k, out), whose weight is V with its rows times the same roots, with a copy of the old bias, or without
        if there was none. The old layer stays as it is.

    Raises:
        ValueError: see `low_rank_approximate`.

    Hints:
        1. x @ W = (x @ U√S) @ √S V. What does that say about the bias: before the second product, or after it?
        2. numpy multiplies a matrix by a vector column by column. How does a vector come to stand upright?
    """
    ### BEGIN SOLUTION
    u, s, v = low_rank_approximate(layer.weight.data, rank_ratio)
    roots = np.sqrt(s)
    first, second = Linear(u.shape[0], u.shape[1], bias=False), Linear(v.shape[0], v.shape[1], bias=False)
    first.weight.data, second.weight.data = u * roots, roots[:, None] * v
    if layer.bias is not None:
        second.bias = Tensor(layer.bias.data, requires_grad=True)
    return Sequential(first, second)
    ### END SOLUTION

# %% tags=["raises-exception"] nbgrader={"grade": true, "grade_id": "test_factorized", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false}
columns = np.array([[0.5, 0.5], [0.5, -0.5], [0.5, 0.5], [0.5, -0.5]], dtype=np.float32)
rows = np.array([[1.0, 0.0, 0.0, 0.0], [0.0, 0.6, 0.8, 0.0]], dtype=np.float32)
weight = (columns * np.array([8.0, 2.0], dtype=np.float32)) @ rows  # a matrix of rank 2, and its three parts
bias = np.array([1.0, 2.0, 3.0, 4.0], dtype=np.float32)
layer = linear_from(weight, bias)
with stand_ins(
    low_rank_approximate=lambda matrix, ratio=0.5: (columns.copy(), np.array([8.0, 2.0], dtype=np.float32), rows.copy())
):
    pair = factorized(layer, 0.5)
shapes = [list(part.weight.shape) for part in pair.layers]
first_bias = repr(pair.layers[0].bias)
x = np.array([[1.0, 2.0, 3.0, 4.0], [0.0, -1.0, 0.5, 2.0]], dtype=np.float32)
output = pair(Tensor(x)).data
old = layer.weight.data
lengths = [np.linalg.norm(pair.layers[0].weight.data, axis=0), np.linalg.norm(pair.layers[1].weight.data, axis=1)]
### JUDGE
assert shapes == [[4, 2], [2, 4]], f"two layers, 4 to 2 and 2 to 4; the weights have shapes {shapes}"
assert first_bias == "None", "the first layer must have no bias"
assert np.shape(output) == (2, 4) and np.allclose(output, x @ weight + bias, atol=1e-4), (
    f"the outputs must be those of x @ (U * S) @ V + bias:\n{x @ weight + bias}\ngot\n{output}"
)
assert np.shape(lengths) == (2, 2) and np.allclose(lengths, [[8**0.5, 2**0.5]] * 2, rtol=1e-4), (
    "both factors get the roots of the singular values 8 and 2: columns of the first and rows of the second are 2.83 and 1.41 long; "
    f"got {lengths}"
)
assert np.array_equal(old, weight), "the old layer must stay as it is"


### BEGIN HIDDEN TESTS
def three_parts(matrix, ratio=0.5):
    rank = max(1, round(ratio * min(matrix.shape)))
    if rank * sum(matrix.shape) > matrix.size:
        raise ValueError("no gain")
    left, values, right = np.linalg.svd(matrix, full_matrices=False)
    return left[:, :rank], values[:rank], right[:rank]


rng = np.random.default_rng(1712)
big, offset = rng.normal(size=(20, 30)).astype(np.float32), rng.normal(size=30).astype(np.float32)
x = rng.normal(size=(4, 20)).astype(np.float32)
outputs, shapes, biases, features, lengths = [], [], [], [], []
old_layer = linear_from(big, offset)
with stand_ins(low_rank_approximate=three_parts):
    for number, ratio in enumerate((0.1, 0.35, None)):
        source = old_layer if number < 2 else linear_from(big)
        two = factorized(source) if ratio is None else factorized(source, ratio)
        outputs.append(two(Tensor(x)).data)
        shapes.append([list(part.weight.shape) for part in two.layers])
        features.append([(part.in_features, part.out_features) for part in two.layers])
        lengths.append([np.linalg.norm(two.layers[axis].weight.data, axis=axis) for axis in (0, 1)])
        biases.append([[list(tensor.shape) for tensor in part.parameters()] for part in two.layers])
    trained = factorized(old_layer, 0.1)
    trained(Tensor(x)).sum().backward()
    gradient_shapes = [list(np.shape(tensor.grad)) for tensor in trained.parameters()]
    bias_gradient = trained.layers[1].bias.grad
    shared = factorized(old_layer, 0.1)
    shared.layers[1].bias.data += 100
    no_gain = refusal(factorized, old_layer, 1.0)
left_alone = [old_layer.weight.data, old_layer.bias.data]
### JUDGE
assert len(outputs) == 3, "each layer becomes two"
for rank, output, shape, sizes, norms in zip((2, 7, 10), outputs, shapes, features, lengths, strict=True):
    assert shape == [[20, rank], [rank, 30]] and sizes == [(20, rank), (rank, 30)], "two layers, (in, k) and (k, out)"
    left, values, right = np.linalg.svd(big.astype(np.float64), full_matrices=False)
    wanted = x @ ((left[:, :rank] * values[:rank]) @ right[:rank]) + (offset if rank < 10 else 0)
    assert np.shape(output) == (4, 30) and np.allclose(output, wanted, rtol=1e-3, atol=1e-3), (
        "the outputs must be those of one layer with the approximated weight, for every rank, with a bias and without"
    )
    assert np.shape(norms) == (2, rank) and np.allclose(norms, np.sqrt(values[:rank]), rtol=1e-3), (
        "both factors get the roots of the singular values"
    )
assert biases == [
    [[[20, 2]], [[2, 30], [30]]],
    [[[20, 7]], [[7, 30], [30]]],
    [[[20, 10]], [[10, 30]]],
], "the bias must be in the second layer, if there is one"
assert gradient_shapes == [[20, 2], [2, 30], [30]], (
    "weights and bias of the new layers must be trainable: all have a gradient after backward()"
)
assert np.shape(bias_gradient) == (30,) and np.allclose(bias_gradient, 4), "the bias is added to each of the four rows"
assert no_gain == "ValueError", "where nothing is gained the ValueError of low_rank_approximate must come through"
assert len(left_alone) == 2 and np.array_equal(left_alone[0], big) and np.array_equal(left_alone[1], offset), (
    "the old layer must stay as it is, and the new bias must be a copy"
)
### END HIDDEN TESTS

# %% [markdown]
# And for a whole model, given: every Linear layer that gains by it is replaced, and the others stay.

# %% nbgrader={"grade": false, "grade_id": "low_rank_model", "locked": true, "schema_version": 3, "solution": false, "task": false}
#| export
def low_rank_model(model: Any, rank_ratio: float = 0.5) -> Any:
    """Replace each Linear layer of a model by two thin ones where that takes fewer numbers, in place; return the model.

    >>> model = low_rank_model(Sequential(Linear(30, 30), ReLU(), Linear(30, 2)), rank_ratio=0.2)
    >>> [weight.shape for weight in weights_of(model)]
    [(30, 6), (6, 30), (30, 1), (1, 2)]
    """
    for place, layer in enumerate(model.layers):
        if hasattr(layer, "layers"):
            low_rank_model(layer, rank_ratio)
        elif isinstance(layer, Linear):
            try:
                pair = factorized(layer, rank_ratio)
            except ValueError:  # nothing to gain here
                continue
            model.layers[place] = pair
    return model

# %% [markdown]
# ## 6. A small model that learns from a large one
#
# ### 6.1 Soft targets
#
# Why not begin with a small model? Because a large one has something to tell that labels do not say. A label says "this
# is a 7". The logits of the trained reader say: a 7, perhaps a 1, surely no 8. That is **knowledge distillation**: the
# small model (the *student*; in this part the word means a model) is trained to give the probabilities that the large
# one (the *teacher*) gives.
#
# A trained teacher is nearly sure, and then its probabilities say little more than the label. So both logits are
# divided by a **temperature** T before the softmax, and probabilities become softer:
#
# $$p = \mathrm{softmax}(t / T),\qquad q = \mathrm{softmax}(z / T)$$
#
# with t the logits of the teacher and z those of the student. How far q is from p says the Kullback-Leibler divergence,
# *from the teacher's point of view*: p comes first, and weighs.
#
# $$\mathrm{KL}(p\,\Vert\,q) = \sum_c p_c\,(\ln p_c - \ln q_c)$$
#
# It is 0 where both agree. The other way round, KL(q ‖ p), is another number, and asks another thing of the student.
#
# **Why T².** Derive it: the gradient of KL with respect to z is (q − p) / T, and for a large T the difference q − p
# itself shrinks like 1 / T. So the gradient shrinks like 1 / T². Multiplied by T² the loss keeps its weight beside the
# usual one, whatever T is.
#
# $$L_{soft} = \frac{T^2}{N}\sum_{n} \mathrm{KL}(p_n\,\Vert\,q_n)$$
#
# The sum is over the classes, the mean over the N rows of the batch. No gradient goes to the teacher: it is trained
# already.
#
# ### Exercise 13: `soft_target_loss` (8 points, about 35 minutes)
#
# `log_softmax` of module 04 takes and gives Tensors, and its gradient is recorded. Anything that you compute with
# `.data` is a number to the tape: it has no gradient. Once that is what you want here, and once it is not.

# %% nbgrader={"grade": false, "grade_id": "soft_target_loss", "locked": false, "schema_version": 3, "solution": true, "task": false}
#| export
def soft_target_loss(student_logits: Tensor, teacher_logits: Tensor, temperature: float) -> Tensor:
    """T² times KL(teacher ‖ student) of the softened probabilities, averaged over the batch.

    Args:
        student_logits: (N, classes). The loss has a gradient with respect to them.
        teacher_logits: (N, classes). They are taken as numbers: no gradient reaches the teacher.
        temperature: T, by which both logits are divided before the softmax.

    Returns:
        a scalar Tensor.

    Hints:
        1. Write the loss with ln p and ln q. Which of the two needs a gradient?
        2. `log_softmax` takes logits. What would it make of probabilities?
        3. Check by hand: equal logits give 0; logits (0, 0) of the student and (ln 3, 0) of the teacher at T = 1 give
           0.75 ln 1.5 + 0.25 ln 0.5.
    """
    ### BEGIN SOLUTION
    teacher = log_softmax(Tensor(teacher_logits.data / temperature))
    student = log_softmax(student_logits / temperature)
    divergence = (Tensor(np.exp(teacher.data)) * (teacher - student)).sum()
    return divergence * (temperature**2 / student_logits.shape[0])
    ### END SOLUTION

# %% tags=["raises-exception"] nbgrader={"grade": true, "grade_id": "test_soft_target_loss", "locked": true, "points": 8, "schema_version": 3, "solution": false, "task": false}
by_hand = soft_target_loss(Tensor([[0.0, 0.0]], requires_grad=True), Tensor([[np.log(3.0), 0.0]]), 1.0)
by_hand = float(by_hand.data)
z = np.array([[1.0, 0.0, -1.0], [0.5, 2.0, 0.0]], dtype=np.float32)
t = np.array([[2.0, -1.0, 0.0], [0.0, 3.0, 1.0]], dtype=np.float32)
student_logits, teacher_logits = Tensor(z, requires_grad=True), Tensor(t, requires_grad=True)
loss = soft_target_loss(student_logits, teacher_logits, 2.0)
loss.backward()
value, gradient = float(loss.data), student_logits.grad
teacher_gradient = repr(teacher_logits.grad)
agreement = float(soft_target_loss(Tensor(t, requires_grad=True), Tensor(t), 2.0).data)


### JUDGE
def softened(logits, temperature):
    powers = np.exp(logits.astype(np.float64) / temperature)
    return powers / powers.sum(axis=1, keepdims=True)


p, q = softened(t, 2.0), softened(z, 2.0)
wanted = 4 * np.mean(np.sum(p * np.log(p / q), axis=1))
assert np.isclose(by_hand, 0.75 * np.log(1.5) + 0.25 * np.log(0.5), rtol=1e-4), (
    f"the example of the hints gives {0.75 * np.log(1.5) + 0.25 * np.log(0.5):.4f}, got {by_hand:.4f}"
)
assert not np.isclose(value, 4 * np.mean(np.sum(q * np.log(q / p), axis=1)), rtol=1e-3), (
    "that is KL(student ‖ teacher): the teacher comes first"
)
assert not np.isclose(value, wanted / 4, rtol=1e-3), "the factor T² is missing"
assert not np.isclose(value, 2 * wanted, rtol=1e-3), "that is the sum over the batch; the mean is asked for"
assert np.isclose(value, wanted, rtol=1e-4), f"for the two rows at T = 2 the loss is {wanted:.4f}, got {value:.4f}"
assert abs(agreement) <= 1e-5, f"where both agree the loss is 0, got {agreement}"
assert gradient is not None and np.shape(gradient) == (2, 3), "after backward() student_logits must have a gradient"
assert np.allclose(gradient, 2 * (q - p) / 2, atol=1e-5), f"the gradient is T (q - p) / N:\n{q - p}\ngot\n{gradient}"
assert teacher_gradient == "None", "no gradient may reach the teacher"
### BEGIN HIDDEN TESTS
rng = np.random.default_rng(1713)
cases = [(1, 2, 1.0), (5, 10, 3.0), (16, 4, 0.5), (3, 7, 20.0), (8, 10, 100.0)]
students = [rng.normal(0, 3, size=(n, c)).astype(np.float32) for n, c, _ in cases]
teachers = [rng.normal(0, 5, size=(n, c)).astype(np.float32) for n, c, _ in cases]
students[1][0], teachers[1][0] = 900.0 * np.eye(10)[3], 1000.0 * np.eye(10)[3]  # larger than e can be raised to
teachers[2][0] = [700.0, 0.0, -700.0, 0.0]
values, gradients, teacher_gradients, left = [], [], [], []
for z, t, (_, _, temperature) in zip(students, teachers, cases, strict=True):
    body = Tensor(z, requires_grad=True)
    origin = Tensor(t, requires_grad=True)
    student_output, teacher_output = body * 2.0, origin * 1.0
    divergence = soft_target_loss(student_output, teacher_output, temperature)
    divergence.backward()
    values.append(float(divergence.data))
    gradients.append(body.grad)
    teacher_gradients.append(repr(origin.grad))
    left.append([student_output.data, teacher_output.data])
scalar = np.shape(divergence.data)


### JUDGE
def log_softened(logits, heat):
    scaled = logits.astype(np.float64) / heat
    scaled = scaled - scaled.max(axis=1, keepdims=True)
    return scaled - np.log(np.exp(scaled).sum(axis=1, keepdims=True))


assert len(values) == 5 and len(gradients) == 5 and len(left) == 5 and scalar == (), "the loss is a scalar Tensor"
for case, (n, classes, heat) in enumerate(cases):
    log_p, log_q = log_softened(teachers[case], heat), log_softened(2 * students[case], heat)
    divergences = np.sum(np.exp(log_p) * (log_p - log_q), axis=1)
    slack = 2e-6 * heat**2 + 1e-4
    assert abs(values[case] - heat**2 * np.mean(divergences)) <= slack + 1e-3 * abs(values[case]), (
        "the loss must be T² KL(teacher ‖ student), averaged over the batch, for every temperature; "
        "large logits must not overflow"
    )
    slope = 2 * heat * (np.exp(log_q) - np.exp(log_p)) / n
    assert np.shape(gradients[case]) == (n, classes), "the gradient must go through student_logits to what made them"
    assert np.allclose(gradients[case], slope, rtol=1e-2, atol=1e-4 * max(heat, 1) / n), (
        "the gradient must be T (q - p) / N"
    )
    assert np.shape(left[case]) == (2, n, classes), "the logits must be left as they were"
    assert np.array_equal(left[case][0], 2 * students[case]) and np.array_equal(left[case][1], teachers[case]), (
        "the logits must be left as they were"
    )
assert teacher_gradients == ["None"] * 5, "no gradient may reach the teacher"
### END HIDDEN TESTS

# %% [markdown]
# The class that uses it is given. Its loss mixes soft targets with the labels: α of the one, 1 − α of the other.

# %% nbgrader={"grade": false, "grade_id": "knowledge_distillation", "locked": true, "schema_version": 3, "solution": false, "task": false}
#| export
class KnowledgeDistillation:
    """A student that learns from a teacher and from labels.

    Attributes:
        teacher_model, student_model, temperature, alpha: as they were given.
    """

    def __init__(self, teacher_model: Any, student_model: Any, temperature: float = 3.0, alpha: float = 0.7) -> None:
        self.teacher_model, self.student_model = teacher_model, student_model
        self.temperature, self.alpha = temperature, alpha

    def distillation_loss(self, student_logits: Tensor, teacher_logits: Tensor, true_labels: Tensor) -> Tensor:
        """alpha of `soft_target_loss` and 1 - alpha of the cross-entropy with the labels, a scalar Tensor."""
        soft = soft_target_loss(student_logits, teacher_logits, self.temperature)
        return soft * self.alpha + CrossEntropyLoss()(student_logits, true_labels) * (1 - self.alpha)

    def train_epoch(self, optimizer: Optimizer, batches: Iterable[tuple[Tensor, Tensor]]) -> None:
        """One pass: the parameters that the optimizer holds follow the gradient; the teacher only speaks."""
        for inputs, labels in batches:
            with no_grad():
                teacher_logits = self.teacher_model(inputs)
            optimizer.zero_grad()
            self.distillation_loss(self.student_model(inputs), teacher_logits, labels).backward()
            optimizer.step()

# %% [markdown]
# ### Try it: what becomes of the loss when T is large?
#
# For a large T the softmax is nearly straight: p ≈ 1/C + (t − mean t) / (C T). Put that into the loss, and T falls out:
# what is left is half of the mean squared difference of the *centred* logits.
#
# **Predict before you run.** Both columns at T = 100 beside those at T = 10: which factor lies between them?
#
# **Validate** (not graded): your loss at rising temperatures beside that limit, and without T².

# %% tags=["validate", "raises-exception"]
rng = np.random.default_rng(17)
z, t = rng.normal(0, 2, size=(6, 10)), rng.normal(0, 2, size=(6, 10))
difference = (z - z.mean(axis=1, keepdims=True)) - (t - t.mean(axis=1, keepdims=True))
limit = float(np.mean(difference**2) / 2)
print(f"{'T':>6} {'loss':>8} {'without T²':>11}")
for temperature in (1.0, 3.0, 10.0, 30.0, 100.0):
    loss = float(soft_target_loss(Tensor(z), Tensor(t), temperature).data)
    print(f"{temperature:>6g} {loss:>8.4f} {loss / temperature**2:>11.6f}")
print(f" limit {limit:>8.4f}")

# %% [markdown]
# ## 7. One call for a whole model
#
# ### Exercise 14: `compress_model` (4 points, about 20 minutes)
#
# A configuration names techniques and how much of each: `{"structured_prune": 0.5, "magnitude_prune": 0.8}`. They are
# carried out in the order in which it names them. A name that nobody knows is refused **before** anything is done to
# the model: a model that is half compressed is nobody's. The test brings stand-ins for the functions of the earlier
# parts, so call them by their names:
#
# | name in the configuration | function |
# |---|---|
# | `magnitude_prune` | `magnitude_prune(model, amount)` |
# | `structured_prune` | `structured_prune(model, amount)` |
# | `low_rank` | `low_rank_model(model, amount)` |

# %% nbgrader={"grade": false, "grade_id": "compress_model", "locked": false, "schema_version": 3, "solution": true, "task": false}
#| export
def compress_model(model: Any, compression_config: dict[str, float]) -> dict[str, Any]:
    """Compress a model in place, technique by technique; return what that did.

    Args:
        compression_config: how much of each technique, in the order in which they are to be carried out. Their
            names are magnitude_prune, structured_prune and low_rank.

    Returns a dict with
        original_sparsity, final_sparsity: as `measure_sparsity` gives them, before and after
        sparsity_increase: the second less the first
        original_bytes, final_bytes: as `stored_bytes` gives them, before and after
        compression_ratio: the first by the second
        applied_techniques: a list such as ["structured_prune_0.5", "magnitude_prune_0.8"]

    Raises:
        ValueError: the configuration names another technique. The model is as it was then.

    Hints:
        1. What has to be asked of the model before anything is done to it?
        2. A dict remembers the order in which its keys were put in.
    """
    ### BEGIN SOLUTION
    techniques = {"magnitude_prune": magnitude_prune, "structured_prune": structured_prune, "low_rank": low_rank_model}
    for name in compression_config:
        if name not in techniques:
            raise ValueError(f"there is no technique {name!r}; there are {', '.join(techniques)}")
    original_sparsity, original_bytes = measure_sparsity(model), stored_bytes(model)
    for name, amount in compression_config.items():
        techniques[name](model, amount)
    final_sparsity, final_bytes = measure_sparsity(model), stored_bytes(model)
    return {
        "original_sparsity": original_sparsity,
        "final_sparsity": final_sparsity,
        "sparsity_increase": final_sparsity - original_sparsity,
        "original_bytes": original_bytes,
        "final_bytes": final_bytes,
        "compression_ratio": original_bytes / final_bytes,
        "applied_techniques": [f"{name}_{amount}" for name, amount in compression_config.items()],
    }
    ### END SOLUTION

# %% tags=["raises-exception"] nbgrader={"grade": true, "grade_id": "test_compress_model", "locked": true, "points": 4, "schema_version": 3, "solution": false, "task": false}
KEYS = [
    "original_sparsity",
    "final_sparsity",
    "sparsity_increase",
    "original_bytes",
    "final_bytes",
    "compression_ratio",
]


class Noted:
    """A model that remembers what was done to it."""

    def __init__(self):
        self.notes, self.layers = [], []


spare_parts = {
    "magnitude_prune": lambda model, sparsity=0.9: model.notes.append(("magnitude", sparsity)),
    "structured_prune": lambda model, prune_ratio=0.5: model.notes.append(("structured", prune_ratio)),
    "low_rank_model": lambda model, rank_ratio=0.5: model.notes.append(("low rank", rank_ratio)),
    "measure_sparsity": lambda model: 0.125 + 0.25 * len(model.notes),
    "stored_bytes": lambda model: 4000 // (1 + len(model.notes)),
}
model, untouched = Noted(), Noted()
with stand_ins(**spare_parts):
    stats = compress_model(model, {"structured_prune": 0.5, "magnitude_prune": 0.8})
    unknown = refusal(compress_model, untouched, {"magnitude_prune": 0.8, "sprinkle": 0.5})
figures = [stats.get(key) for key in KEYS]
techniques = stats.get("applied_techniques")
notes, notes_of_refused = model.notes, untouched.notes
### JUDGE
assert notes == [("structured", 0.5), ("magnitude", 0.8)], (
    f"the two techniques must be carried out with their amounts, in the order of the configuration; carried out: {notes}"
)
assert None not in figures, f"the keys are {', '.join(KEYS)} and applied_techniques; got {figures} for them"
assert np.allclose(figures[:3], [0.125, 0.625, 0.5]), (
    f"sparsity before, after, and the difference: 0.125, 0.625, 0.5; got {figures[:3]}"
)
assert np.allclose(figures[3:], [4000, 1333, 4000 / 1333]), (
    f"bytes before and after, and their ratio: 4000, 1333, 3.0; got {figures[3:]}"
)
assert techniques == ["structured_prune_0.5", "magnitude_prune_0.8"], (
    f"each technique is named with its amount; got {techniques}"
)
assert unknown == "ValueError", f"a technique that nobody knows must raise ValueError, got {unknown}"
assert notes_of_refused == [], f"then nothing may have been done to the model; carried out: {notes_of_refused}"
### BEGIN HIDDEN TESTS
NAMES = [
    "original_sparsity",
    "final_sparsity",
    "sparsity_increase",
    "original_bytes",
    "final_bytes",
    "compression_ratio",
]


class Diary:
    def __init__(self):
        self.done, self.layers = [], []


hidden_parts = {
    "magnitude_prune": lambda model, sparsity=0.9: model.done.append(("m", sparsity)),
    "structured_prune": lambda model, prune_ratio=0.5: model.done.append(("s", prune_ratio)),
    "low_rank_model": lambda model, rank_ratio=0.5: model.done.append(("l", rank_ratio)),
    "measure_sparsity": lambda model: 0.7 - 0.2 * len(model.done),
    "stored_bytes": lambda model: 5000 - 1500 * len(model.done),
}
configs = [
    {"low_rank": 0.25, "magnitude_prune": 0.6, "structured_prune": 0.3},
    {"low_rank": 0.4},
    {},
    {"magnitude_prune": 1.0, "low_rank": 0.0},
]
bad = [
    {"prune": 0.5},
    {"low_rank": 0.5, "structured_prune": 0.1, "Magnitude_prune": 0.5},
    {"quantize": 8, "low_rank": 0.5},
]
models, spared = [Diary() for _ in configs], [Diary() for _ in bad]
with stand_ins(**hidden_parts):
    all_stats = [compress_model(model, config) for model, config in zip(models, configs, strict=True)]
    bad_answers = [refusal(compress_model, model, config) for model, config in zip(spared, bad, strict=True)]
all_figures = [[stats.get(name) for name in NAMES] for stats in all_stats]
all_techniques = [stats.get("applied_techniques") for stats in all_stats]
diaries, spared_diaries = [model.done for model in models], [model.done for model in spared]
### JUDGE
assert diaries == [[("l", 0.25), ("m", 0.6), ("s", 0.3)], [("l", 0.4)], [], [("m", 1.0), ("l", 0.0)]], (
    "every technique must be carried out once, with its amount, in the order of the configuration"
)
for count, figures in zip((3, 1, 0, 2), all_figures, strict=True):
    after, size = 0.7 - 0.2 * count, 5000 - 1500 * count
    assert None not in figures and np.allclose(figures, [0.7, after, after - 0.7, 5000, size, 5000 / size]), (
        "sparsity and bytes must be measured before and after, whatever the techniques are; an empty configuration changes nothing"
    )
assert all_techniques == [
    ["low_rank_0.25", "magnitude_prune_0.6", "structured_prune_0.3"],
    ["low_rank_0.4"],
    [],
    ["magnitude_prune_1.0", "low_rank_0.0"],
], "applied_techniques must name each technique with its amount, in order"
assert bad_answers == ["ValueError"] * 3, "a technique that nobody knows must raise ValueError"
assert spared_diaries == [[], [], []], "before anything is done to the model, all names must have been looked at"
### END HIDDEN TESTS

# %% [markdown]
# ### Names that other code uses
#
# Given, not graded: the same functions under the names that the rest of the course knows.

# %% nbgrader={"grade": false, "grade_id": "compression_complete", "locked": true, "schema_version": 3, "solution": false, "task": false}
#| export
class CompressionComplete:
    """The functions of this module under one name."""

    @staticmethod
    def measure_sparsity(model: Any) -> float:
        """`measure_sparsity`: a fraction."""
        return measure_sparsity(model)

    @staticmethod
    def magnitude_prune(model: Any, sparsity: float = 0.5) -> Any:
        """`magnitude_prune`, with another default."""
        return magnitude_prune(model, sparsity)

    @staticmethod
    def structured_prune(model: Any, prune_ratio: float = 0.5) -> Any:
        """`structured_prune`: smaller matrices."""
        return structured_prune(model, prune_ratio)

    @staticmethod
    def compress_model(model: Any, compression_config: dict[str, float]) -> dict[str, Any]:
        """`compress_model`: in place, and what it did."""
        return compress_model(model, compression_config)


Compressor = CompressionComplete

# %% [markdown]
# ## 8. Validate: what did it save, what did it cost?
#
# From here on everything is yours, put together. If a cell stops, look at the exercise that its error names.
#
# ### 8.1 The smallest of all, and chance
#
# The reader, pruned to rising sparsity in three ways: the smallest of all weights (your `magnitude_prune`), the
# smallest within each layer (`prune_each`, the same share everywhere), and as many at random. Nothing is trained on
# yet. **Random pruning is the method that must fail**: if it did as well, magnitude would have nothing to do with it.
#
# **Predict before you run.** At which sparsity does each of the three fall below 90 %?
#
# **Validate** (not graded): three ways to choose, nothing else different.

# %% tags=["validate", "raises-exception"]
SHARES = [0.2, 0.4, 0.5, 0.6, 0.7, 0.8, 0.85, 0.9, 0.95]


def at_random(model, sparsity, seed):
    """Prune as many weights of a model as magnitude_prune does, whichever they are; return the model."""
    rng, shadow = np.random.default_rng(seed), copy.deepcopy(model)
    for drawn in weights_of(shadow):
        drawn.data = rng.uniform(1, 2, size=drawn.shape)
    magnitude_prune(shadow, sparsity)  # the smallest of random numbers are anywhere
    for mine, drawn in zip(weights_of(model), weights_of(shadow)):
        mine.data = mine.data * (drawn.data != 0)
    return model


def pruned_evenly(model, sparsity):
    prune_each(model, [sparsity] * len(weights_of(model)))
    return model


def random_score(share):
    return float(np.mean([accuracy(at_random(copy.deepcopy(reader), share, seed), CHOOSE) for seed in range(5)]))


curves = {
    "smallest of all": [accuracy(magnitude_prune(copy.deepcopy(reader), share), CHOOSE) for share in SHARES],
    "smallest in each layer": [accuracy(pruned_evenly(copy.deepcopy(reader), share), CHOOSE) for share in SHARES],
    "random": [random_score(share) for share in SHARES],
}
whole = accuracy(reader, CHOOSE)
print(f"{'sparsity':<24}" + "".join(f"{share:>8.0%}" for share in SHARES))
for name, row in curves.items():
    print(f"{name:<24}" + "".join(f"{score:>8.1%}" for score in row))
for name, row in curves.items():
    below = [share for share, score in zip(SHARES, row) if score < 0.9]
    print(f"{name}: below 90 % " + (f"from a sparsity of {below[0]:.0%} on" if below else "nowhere here"))
measured = measure_sparsity(magnitude_prune(copy.deepcopy(reader), 0.85))
print(f"asked for 0.85, measure_sparsity says {measured:.6f}")
middle = SHARES.index(0.7)
ahead = curves["smallest of all"][middle] - curves["random"][middle]
print(
    f"at 70 % magnitude is {100 * ahead:.0f} points ahead of chance"
    + ("" if ahead > 0.2 else "  <- this should be more")
)

# %% [markdown]
# ### 8.2 Trained on
#
# The smallest of all and the random choice again, each pruned model trained on for eight passes with its masks. Two
# things are asked: how far the sparsity can go now, and whether the random choice recovers as well.
#
# **Predict before you run.** Fine-tuning can repair a lot. Will it repair the random choice, too?
#
# **Validate** (not graded): with fine-tuning, and what becomes of the zeros without masks.

# %% tags=["validate", "raises-exception"]
def trained_on(model, masks, epochs):
    """Train a pruned model on, in place, at a falling rate; return it."""
    optimizer, loader = SGD(model.parameters(), lr=0.05, momentum=0.9), batches(18)
    schedule = CosineSchedule(max_lr=0.05, min_lr=0.0005, total_epochs=epochs)
    for epoch in range(epochs):
        optimizer.lr = schedule.get_lr(epoch)
        fine_tune(model, masks, optimizer, loader)
    return model


def recovered(model, epochs=8):
    """The same, with the masks that the zeros of a model say."""
    return trained_on(model, [weight.data != 0 for weight in weights_of(model)], epochs)


tuned = {
    "smallest of all": [recovered(magnitude_prune(copy.deepcopy(reader), share)) for share in SHARES],
    "random": [recovered(at_random(copy.deepcopy(reader), share, 0)) for share in SHARES],
}
tuned_scores = {name: [accuracy(model, CHOOSE) for model in models] for name, models in tuned.items()}
print(f"{'sparsity':<24}" + "".join(f"{share:>8.0%}" for share in SHARES))
for name, row in tuned_scores.items():
    print(f"{name + ', tuned':<24}" + "".join(f"{score:>8.1%}" for score in row))

pruned = magnitude_prune(copy.deepcopy(reader), 0.9)
with_masks = recovered(copy.deepcopy(pruned), epochs=1)
without_masks = trained_on(
    copy.deepcopy(pruned), [np.ones(weight.shape, dtype=bool) for weight in weights_of(pruned)], 1
)
print(
    f"pruned to 0.9, after one pass: sparsity {measure_sparsity(with_masks):.4f} with masks, {measure_sparsity(without_masks):.4f} without"
)

# %% [markdown]
# **Validate** (not graded): both as a picture.

# %% tags=["validate", "raises-exception"] jupyter={"source_hidden": true}
plt = pyplot()
if plt:
    figure, (left, right) = plt.subplots(1, 2, figsize=(9, 3.4), sharey=True)
    for name, row in curves.items():
        left.plot(SHARES, row, "o-", label=name, markersize=4)
    for name, row in tuned_scores.items():
        right.plot(SHARES, row, "o-", label=f"{name}, tuned", markersize=4)
    for axis, title in ((left, "pruned"), (right, "pruned and trained on")):
        axis.axhline(whole, color="0.5", linestyle="--", linewidth=1, label="whole reader")
        axis.set_xlabel("sparsity")
        axis.set_title(title, fontsize=10)
        axis.legend(fontsize=8)
    left.set_ylabel("accuracy, digits to choose by")
    figure.tight_layout()
    plt.show()

# %% [markdown]
# ### 8.3 Into 8 KB
#
# Now what was at stake. First the scan: which layer can spare what? It is made with the digits to choose by. Then your
# choice for a budget of numbers that fits into 8 KB: bitmaps and biases have to fit as well.
#
# **Predict before you run.** The three layers have 8,192, 8,192 and 640 weights. Which one is the most sensitive? Which
# one will be pruned hardest?
#
# **Validate** (not graded): scan, choose, prune, train on, and only then look at the test digits.

# %% tags=["validate", "raises-exception"]
BUDGET_BYTES, MOST_LOST = 8 * 1024, 0.01
TRIES = [0.0, 0.5, 0.6, 0.7, 0.75, 0.8, 0.85, 0.9, 0.925, 0.95, 0.97]
scan = sensitivity_scan(reader, lambda model: accuracy(model, CHOOSE), TRIES)
sizes = [weight.size for weight in weights_of(reader)]
print(f"{'one layer at':<14}" + "".join(f"{share:>8.1%}" for share in TRIES))
for size, row in zip(sizes, scan):
    print(f"{size:>7,} numbers" + "".join(f"{score:>8.1%}" for score in row))

bitmaps = sum(-(-size // 8) for size in sizes)
biases = sum(tensor.nbytes for tensor in model_parameters(reader)) - 4 * sum(sizes)
most_left = (BUDGET_BYTES - bitmaps - biases) // 4
choice = choose_sparsities(scan, sizes, TRIES, most_left)
print(
    f"\n{BUDGET_BYTES:,} bytes, less {bitmaps:,} for bitmaps and {biases:,} for biases: room for {most_left:,} of {sum(sizes):,} weights"
)
print("chosen: " + ", ".join(f"{share:.1%} of {size:,}" for share, size in zip(choice, sizes)))

chosen = copy.deepcopy(reader)
masks = prune_each(chosen, choice)
before_tuning = accuracy(chosen)
trained_on(chosen, masks, 20)
ranked = recovered(magnitude_prune(copy.deepcopy(reader), 1 - most_left / sum(sizes)), epochs=20)
blind = recovered(at_random(copy.deepcopy(reader), 1 - most_left / sum(sizes), 0), epochs=20)
print(f"\n{'':<34}{'bytes':>8} {'sparsity':>9} {'test digits':>12}")
for name, model in (
    ("whole", reader),
    ("chosen for each layer, tuned", chosen),
    ("smallest of all, tuned", ranked),
    ("random, tuned", blind),
):
    print(f"{name:<34}{stored_bytes(model):>8,} {measure_sparsity(model):>9.1%} {accuracy(model):>12.1%}")
print(f"(the chosen one before it was trained on: {before_tuning:.1%})")
lost = accuracy(reader) - accuracy(chosen)
print(
    f"size {'met' if stored_bytes(chosen) <= BUDGET_BYTES else 'NOT met'}: {stored_bytes(chosen):,} of {BUDGET_BYTES:,} bytes;  "
    f"accuracy {'met' if lost <= MOST_LOST else 'NOT met'}: {100 * lost:+.2f} points lost, {100 * MOST_LOST:.0f} allowed"
)

# %% tags=["validate", "raises-exception"] jupyter={"source_hidden": true}
# Validate (not graded): the scan as a picture, with the choice.
plt = pyplot()
if plt:
    figure, axis = plt.subplots(figsize=(6.5, 3.4))
    for size, row, share, place in zip(sizes, scan, choice, ("first", "second", "last")):
        [line] = axis.plot(TRIES, row, "o-", markersize=4, label=f"{place} layer, {size:,} weights")
        axis.plot(
            [share], [row[TRIES.index(share)]], "s", markersize=10, markerfacecolor="none", color=line.get_color()
        )
    axis.set_xlabel("sparsity of this one layer (squares: what was chosen)")
    axis.set_ylabel("accuracy, digits to choose by")
    axis.legend(fontsize=8)
    figure.tight_layout()
    plt.show()

# %% [markdown]
# One of the three models was chosen with care, and another one may well read as many digits: 359 digits do not tell
# apart what differs by two or three of them. What they do tell apart is stated in the table. Change `BUDGET_BYTES`, and
# find out where the methods part.
#
# ### 8.4 Zeros, or less to multiply?
#
# So far only bytes were counted. Now operations and time, on a wide model with random weights (256 inputs, two hidden
# layers of 1,024, 10 classes) that is pruned in both ways. Operations are counted by the profiler of module 14. Times
# are taken **in turns**: in each round all models run once, so that all meet the same machine; a ratio is the median
# over the rounds of *time / time of the whole model in the same round*.
#
# **Predict before you run.** Of the three weights, the second loses on both sides. With half of the units gone, what
# share of all operations is left? And of the time? With 90 % zeros, what share of the time?
#
# **Validate** (not graded): operations counted, time measured.

# %% tags=["validate", "raises-exception"]
wide = reader_of(256, 1024, 1024, 10)
versions = {"whole": wide, "90 % zeros": magnitude_prune(copy.deepcopy(wide), 0.9)}
for ratio in (0.25, 0.5, 0.75):
    versions[f"{ratio:.0%} of the units gone"] = structured_prune(copy.deepcopy(wide), ratio)
rng = np.random.default_rng(17)
x = Tensor(rng.normal(size=(64, 256)))
rounds = []
for number in range(43):
    spent = dict.fromkeys(versions, 0.0)
    for name in rng.permutation(list(versions)):  # nobody is always the first
        start = time.perf_counter()
        versions[name].forward(x)
        spent[name] = time.perf_counter() - start
    if number > 2:  # the first rounds are for warming up
        rounds.append([spent[name] / spent["whole"] for name in versions])
time_ratios = np.median(rounds, axis=0)
flops = [Profiler().count_flops(model, (64, 256)) for model in versions.values()]
print(f"{'':<26}{'operations':>11} {'second weight':>14} {'time':>7}   (shares of the whole model)")
for (name, model), count, ratio in zip(versions.items(), flops, time_ratios):
    second = weights_of(model)[1].size / weights_of(wide)[1].size
    print(f"{name:<26}{count / flops[0]:>11.1%} {second:>14.1%} {ratio:>7.0%}")
units_gone, time_at_half = flops[3] / flops[0], time_ratios[3]
word = "more" if time_at_half > units_gone else "less"
print(
    f"with half of the units gone, the share of the time that is left is {word} than the share of the operations, here and now"
)

# %% [markdown]
# Run it a few times. What is not in the count of operations: every call of a layer goes through Python and allocates
# its result, the bias is added and the ReLU taken number by number, and the input has to be read whatever becomes of
# the units.
#
# ### 8.5 Which numbers does a matrix need?
#
# A picture of what low rank can do here: the singular values of the trained first weight, and of a random one of the
# same size and norm. Then the error of your factors beside what Eckart and Young say, and what is still read.
#
# **Predict before you run.** In which of the two can you leave out more with the same error?
#
# **Validate** (not graded): singular values, errors, accuracy.

# %% tags=["validate", "raises-exception"]
weight = reader.layers[0].weight.data
rng = np.random.default_rng(17)
chance = rng.normal(size=weight.shape)
chance *= np.linalg.norm(weight) / np.linalg.norm(chance)
spectra = {"trained": np.linalg.svd(weight, compute_uv=False), "random": np.linalg.svd(chance, compute_uv=False)}
print(
    f"{'rank of 64':>10} {'numbers':>8} {'error, measured':>16} {'as derived':>11} {'random matrix':>14} {'accuracy':>9}"
)
for ratio in (0.1, 0.2, 0.3, 0.4, 0.5, 0.6):
    U, S, V = low_rank_approximate(weight, ratio)
    measured = np.linalg.norm(weight - (U * S) @ V) / np.linalg.norm(weight)
    derived, blind = (np.sqrt(np.sum(values[len(S) :] ** 2) / np.sum(values**2)) for values in spectra.values())
    changed = copy.deepcopy(reader)
    changed.layers[0].weight.data = ((U * S) @ V).astype(np.float32)
    print(
        f"{len(S):>10} {U.size + V.size:>8,} {measured:>16.4f} {derived:>11.4f} {blind:>14.4f} {accuracy(changed, CHOOSE):>9.1%}"
    )
print(f"(the weight itself has {weight.size:,} numbers; ratio 0.75: {refusal(low_rank_approximate, weight, 0.75)})")

# %% tags=["validate", "raises-exception"] jupyter={"source_hidden": true}
# Validate (not graded): the singular values as a picture.
plt = pyplot()
if plt:
    figure, axis = plt.subplots(figsize=(6.5, 3.2))
    for name, values in spectra.items():
        axis.plot(np.arange(1, len(values) + 1), values, "o-", markersize=3, label=name)
    axis.axvline(weight.size / sum(weight.shape), color="0.5", linestyle="--", label="beyond: more numbers than before")
    axis.set_xlabel("number of the singular value")
    axis.set_ylabel("singular value")
    axis.legend(fontsize=8)
    figure.tight_layout()
    plt.show()

# %% [markdown]
# ### 8.6 A small model with a teacher, and without
#
# Students of three widths with one hidden layer, each trained twice from the same start with the same batches for the
# same number of passes: by labels alone, and by the reader and labels (T = 3, α = 0.7). Four starts each, for a single
# one proves nothing at this size.
#
# **Predict before you run.** By how many points does the teacher help? Where more: with few units, or with many?
#
# **Validate** (not graded): two losses, all else alike.

# %% tags=["validate", "raises-exception"]
WIDTHS, STARTS, PASSES = (4, 6, 10), (1, 2, 3, 4), 12


def taught(width, seed):
    """A student of one hidden layer, trained by the reader and by labels."""
    student = reader_of(64, width, 10, seed=seed)
    distillation = KnowledgeDistillation(reader, student, temperature=3.0, alpha=0.7)
    optimizer, loader = SGD(student.parameters(), lr=0.1, momentum=0.9), batches(seed)
    schedule = CosineSchedule(max_lr=0.1, min_lr=0.001, total_epochs=PASSES)
    for epoch in range(PASSES):
        optimizer.lr = schedule.get_lr(epoch)
        distillation.train_epoch(optimizer, loader)
    return student


students = {}
print(f"{'hidden units':>12} {'bytes':>7}   {'labels alone':>28} {'with the teacher':>28}   mean difference")
for width in WIDTHS:
    alone = [train(reader_of(64, width, 10, seed=seed), PASSES, seed=seed) for seed in STARTS]
    helped = [taught(width, seed) for seed in STARTS]
    students[width] = (alone, helped)
    scores = [[accuracy(model) for model in models] for models in (alone, helped)]
    listed = ["  ".join(f"{score:.1%}" for score in row) for row in scores]
    gain = 100 * (np.mean(scores[1]) - np.mean(scores[0]))
    print(f"{width:>12} {stored_bytes(alone[0]):>7,}   {listed[0]:>28} {listed[1]:>28}   {gain:+.1f} points")

# %% [markdown]
# ### 8.7 All of them on one picture
#
# Accuracy on the test digits against stored bytes, for every method, each trained on for 12 passes; only the model of
# 8.3, chosen by the scan, has had 20. A method is good where nothing else lies above it *and* to its left. And the same
# points at chance: pruned at random, and trained on as well. The last line names the smallest after the fact. It is no
# choice: whoever takes that model has chosen by the test digits (1.1).
#
# **Predict before you run.** Which method will have the points above and to the left of all others? Will two of them
# together beat one?
#
# **Validate** (not graded): the whole module.

# %% tags=["validate", "raises-exception"]
def configured(config, epochs=12):
    """The reader, compressed as a configuration says, trained on, and what compress_model says of it."""
    model = copy.deepcopy(reader)
    compress_model(model, config)
    return recovered(model, epochs)


SWEEPS = {
    "magnitude": [{"magnitude_prune": share} for share in (0.5, 0.7, 0.8, 0.9, 0.95, 0.97)],
    "structured": [{"structured_prune": share} for share in (0.25, 0.5, 0.7, 0.85)],
    "low rank": [{"low_rank": share} for share in (0.4, 0.25, 0.15, 0.08)],
    "structured, then magnitude": [
        {"structured_prune": 0.5, "magnitude_prune": share} for share in (0.5, 0.7, 0.8, 0.9)
    ],
}
points = {
    name: [(stored_bytes(model), accuracy(model)) for model in map(configured, configs)]
    for name, configs in SWEEPS.items()
}
points["chosen by the scan"] = [(stored_bytes(chosen), accuracy(chosen))]
for name, which in (("small, labels alone", 0), ("small, with the teacher", 1)):
    points[name] = [
        (stored_bytes(pair[which][0]), float(np.mean([accuracy(model) for model in pair[which]])))
        for pair in students.values()
    ]
blind = [recovered(at_random(copy.deepcopy(reader), share, 0), 12) for share in (0.5, 0.7, 0.8, 0.9, 0.95, 0.97)]
points["random (the ablation)"] = [(stored_bytes(model), accuracy(model)) for model in blind]
for name, pairs in points.items():
    print(f"{name:<28}" + "   ".join(f"{size:>6,} B {score:.1%}" for size, score in pairs))
floor = accuracy(reader) - MOST_LOST
enough = [(size, name) for name, pairs in points.items() for size, score in pairs if score >= floor]
smallest, best = min(enough)
print(
    f"\nwithin {100 * MOST_LOST:.0f} point of the whole reader ({accuracy(reader):.1%}), the smallest: {best}, {smallest:,} bytes, "
    f"{reader_bytes / smallest:.1f} times smaller"
)

# %% tags=["validate", "raises-exception"] jupyter={"source_hidden": true}
# Validate (not graded): the picture, and its upper part again.
plt = pyplot()
if plt:
    figure, axes = plt.subplots(1, 2, figsize=(10, 4.4))
    for axis in axes:
        for (name, pairs), marker in zip(points.items(), "osDv*^<x"):
            axis.semilogx(*zip(*sorted(pairs)), marker=marker, label=name, linewidth=1, markersize=5)
        axis.axhline(accuracy(reader), color="0.6", linestyle="--", linewidth=1, label="whole reader")
        axis.axvline(BUDGET_BYTES, color="0.6", linestyle=":", linewidth=1, label="8 KB")
        axis.set_xticks([1024 * 2**power for power in range(7)], [f"{2**power}" for power in range(7)])
        axis.minorticks_off()
        axis.set_xlabel("stored KB")
    axes[0].set_ylabel("accuracy, test digits")
    axes[1].set_ylim(floor - 0.03, accuracy(reader) + 0.01)
    figure.legend(*axes[0].get_legend_handles_labels(), fontsize=8, ncols=5, loc="lower center")
    figure.tight_layout(rect=(0, 0.12, 1, 1))
    plt.show()

# %% [markdown]
# ## 9. Two questions to answer in writing
#
# Use figures from your own notebook, whichever way they went. Half a page each is enough.

# %% [markdown] nbgrader={"grade": false, "grade_id": "task_tradeoffs", "locked": true, "points": 10, "schema_version": 3, "solution": false, "task": true}
# **Question 1 (10 points, about 30 minutes): smaller in what?**
#
# a) Someone says of the model with 90 % zeros: "ten times smaller, ten times faster". Take both halves of the sentence
# apart with your figures of 8.3 and 8.4: what is smaller, by which factor, and why not by ten? What did the time do,
# and what explains it?
#
# b) A share r of all hidden units is gone. Derive what share of the operations of the three layers of the wide model is
# left at r = 0.5, layer by layer, and compare with the count of 8.4. Is the share of the time the same? Give a reason
# that fits your figures, whichever way they went.
#
# c) For a first layer of 64 × 128, from which rank on does `low_rank_approximate` refuse, and why is a rank just below
# that of no use either? Use the table of 8.5.
#
# === BEGIN MARK SCHEME ===
# a) 4 points: stored bytes before and after, from the notebook (1); less than ten because bitmap and biases stay,
# computed or named with their bytes (1); the time ratio of "90 % zeros" read rightly (1); an explanation that fits it:
# numpy multiplies zeros like other numbers, so the product does not change; or, where the figure of the answer says
# something else, the reasoning that a ratio from one run on a busy machine does not decide it, with several runs (1).
#
# b) 4 points: first layer (1 - r), middle (1 - r)², last (1 - r) of its operations (1); put together with the sizes 256
# · 1024, 1024 · 1024, 1024 · 10 to about 30 % (262,144 · 0.5 + 1,048,576 · 0.25 + 10,240 · 0.5 = 398,336 of 1,320,960)
# and compared with the count (1); time ratio of their own (1); a reason that fits it: fixed cost of each call, work
# that is not multiplication (bias, ReLU, allocation, reading the input), caches, threads of the library for large
# products (1). Which way the figure goes is not scored.
#
# c) 2 points: m n / (m + n) = 8192 / 192 = 42.7, so from rank 43 on (1); at a rank just below, almost as many numbers
# are stored as before and there is still an error, so one pays accuracy for nothing (1).
# === END MARK SCHEME ===

# %% [markdown]
# *Your answer:*

# %% [markdown] nbgrader={"grade": false, "grade_id": "task_evidence", "locked": true, "points": 10, "schema_version": 3, "solution": false, "task": true}
# **Question 2 (10 points, about 30 minutes): how do you know that it was the method?**
#
# a) What does random pruning show in 8.1, and what does it show *after* fine-tuning in 8.2? State for each the
# conclusion that would be wrong without it. At which sparsity do the two tuned curves part in your notebook?
#
# b) The scan uses digits that the model has neither learned from nor is tested with. Why not the learned ones? Why not
# the test digits? And what does the scan not see, because it prunes one layer at a time?
#
# c) Does the teacher help in 8.6? Say what your four starts allow you to say, and which measurement would settle it.
# Why does the loss have the factor T², and what would happen at T = 10 without it, with α = 0.7 (use the table below
# exercise 13)?
#
# === BEGIN MARK SCHEME ===
# a) 4 points: in 8.1: without it one could believe that the model needs few weights, whichever they are; the gap shows
# that magnitude chooses (1), with a figure (1); in 8.2: without it one could credit the choice with what training on
# does, for the random choice recovers as well at moderate sparsity (1); a sparsity from their own table where the
# curves part, or the statement that they do not, with figures (1).
#
# b) 3 points: digits that were learned are read well anyway, so the scan would be too mild (1); chosen by the test
# digits, the test no longer says how the model does on new ones (1); what layers lose together: errors add up or
# interact, and fine-tuning afterwards is not in the scan (1).
#
# c) 3 points: a statement about sign and size that fits the spread of their own four pairs (a mean difference
# smaller than the spread of the starts is not settled), and a measurement that would settle it: more starts, more test
# digits, a paired comparison (1); T² makes up for gradients that shrink like 1 / T² (1); without it the soft part is a
# hundredth at T = 10, so practically only the labels teach (1).
# === END MARK SCHEME ===

# %% [markdown]
# *Your answer:*

# %% [markdown]
# ## Summary
#
# - Most weights of a trained model are small, and the small ones matter little. Which ones go makes the difference;
#   chance is the test of that.
# - A share is met exactly by rank. Ties need a rule, biases are spared, and "among all" is not "within each layer".
# - Zeros last through training only with masks, put on after each step.
# - A scan says what a layer can spare, by digits that are neither learned nor the test. With it a budget becomes a
#   choice.
# - Sparse is not smaller: zeros save bytes only where they are stored otherwise, and operations only where whole units
#   are gone.
# - A low rank has a known error, and a rank above which it costs more than it saves.
# - A large model can teach a small one, by softened probabilities: from the teacher's point of view, averaged, times
#   T².
#
# **Further exercises** (not graded)
#
# 1. Prune a little, train on, prune a little more (Han et al.). Does the 8 KB reader get better than in one step?
# 2. Rank units by what they *say* on the digits to choose by, not by their columns. What happens to units whose ReLU is
#    never above zero?
# 3. A unit that always says the same can be folded into the next bias before it is removed. Write it, and measure.
# 4. Quantize the numbers that are left (module 16), and count bytes again. Which of the two should come first?
# 5. Wind the weights that are left back to what they were before training (Frankle and Carbin), train again, and
#    compare with a random start under the same masks.
#
# **References**
#
# - Y. LeCun, J. Denker and S. Solla, Optimal Brain Damage, NIPS 1989: which weights matter, by second derivatives.
# - S. Han et al., Learning both Weights and Connections for Efficient Neural Networks, arXiv:1506.02626: prune, train
#   on, and the sensitivity scan.
# - H. Li et al., Pruning Filters for Efficient ConvNets, arXiv:1608.08710: whole units by their norm.
# - C. Eckart and G. Young, The approximation of one matrix by another of lower rank, Psychometrika 1, 1936.
# - G. Hinton, O. Vinyals and J. Dean, Distilling the Knowledge in a Neural Network, arXiv:1503.02531: temperature, and
#   T².
# - J. Frankle and M. Carbin, The Lottery Ticket Hypothesis, arXiv:1803.03635: further exercise 5.
# - E. Alpaydin and C. Kaynak, Optical Recognition of Handwritten Digits, UCI Machine Learning Repository, 1998.
#
# **What comes next.** There are fewer numbers now, and fewer products. Module 18 is about the products that are left:
# how the same arithmetic is done in less time.
