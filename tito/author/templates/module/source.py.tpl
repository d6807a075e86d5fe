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
#     number: MODULE_NUMBER
#     name: MODULE_NAME
#     title: MODULE_TITLE
#     summary: Sums of neighbouring values, without adding the same values again and again.
# ---

# %% [markdown]
# # Module MODULE_NUMBER: MODULE_TITLE
#
# A sensor sends a value each second. You want the sum of every `width` neighbouring values: a moving sum. In this
# module you count what the obvious way costs, find out what it does twice, and write one that does not.
#
# | step | question | where |
# |---|---|---|
# | Profile | how many additions does the obvious way need? | part 1 |
# | Discover | which of them have been made before? | part 1 |
# | Implement | how do you make each only once? | part 2 |
# | Validate | the count of part 1 again, on your own function | part 3 |
#
# **How it is graded.** 70 points by tests, 30 for a written answer. Below `### JUDGE` in a test stands what is asked of
# what your code gave; when it is graded, more is asked on other inputs. Cells that are tagged as warm-up or validate are
# never graded: run them, change them, break them.

# %% nbgrader={"grade": false, "grade_id": "setup", "locked": true, "schema_version": 3, "solution": false, "task": false}
import numpy as np


def raised_by(function, *arguments):
    """The name of Python's own exception that a call raises, or a class of which is raised; none where nothing is."""
    try:
        function(*arguments)
    except Exception as error:
        return next(each.__name__ for each in type(error).__mro__ if each.__module__ == "builtins")
    return ""


class Counted:
    """A number that counts how often it is added to another."""

    additions = 0

    def __init__(self, value):
        self.value = value

    def __add__(self, other):
        Counted.additions += 1
        return Counted(self.value + getattr(other, "value", other))

    def __sub__(self, other):
        Counted.additions += 1
        return Counted(self.value - getattr(other, "value", other))

    __radd__ = __add__


def additions(function, length, width):
    """How many additions and subtractions function(values, width) makes of so many values."""
    Counted.additions = 0
    function([Counted(1) for _ in range(length)], width)
    return Counted.additions

# %% [markdown]
# ## 1. Warm-up: what does the obvious way cost?
#
# **Predict before you run**: when the width doubles, how many more additions are there?

# %% tags=["warmup"]
def obvious(values, width):
    """Each sum anew."""
    return [sum(values[at:at + width]) for at in range(len(values) - width + 1)]


print(f"{'width':>5} {'additions':>9} {'for each sum':>12}")
for width in (2, 4, 8, 16, 32):
    count = additions(obvious, 256, width)
    print(f"{width:5} {count:9} {count / (256 - width + 1):12.1f}")

# %% [markdown]
# **Discover.** Two neighbouring sums share all values but two. Which ones?

# %% [markdown]
# ## 2. Implement
#
# `moving_sums(values, width)` gives a list: the sum of `values[0:width]`, of `values[1:width + 1]`, and so on. It leaves
# `values` as they are. A width below 1, or above the number of values, is a `ValueError`. Part 3 counts how many
# additions it makes: their number need not depend on the width.
#
# *Hint.* How does one sum become the next? What has to be there before the first one can?

# %% nbgrader={"grade": false, "grade_id": "moving_sums", "locked": false, "schema_version": 3, "solution": true, "task": false}
def moving_sums(values, width):
    """Sums of `width` neighbouring values each.

    Args:
        values: a list of numbers.
        width: how many values each sum has.

    Returns: a list of len(values) - width + 1 sums.

    Raises:
        ValueError: the width is below 1, or above the number of values.
    """
    ### BEGIN SOLUTION
    if not 1 <= width <= len(values):
        raise ValueError(f"a width of {width} for {len(values)} values")
    current = sum(values[:width])
    sums = [current]
    for entering, leaving in zip(values[width:], values):
        current = current + entering - leaving
        sums.append(current)
    return sums
    ### END SOLUTION

# %% [markdown]
# **Sums (50 points).**

# %% nbgrader={"grade": true, "grade_id": "test_sums", "locked": true, "points": 50, "schema_version": 3, "solution": false, "task": false}
few = moving_sums([1, 2, 3, 4], 2)
### JUDGE
assert isinstance(few, list), "give a list"
assert few == [3, 5, 7], f"sums of two neighbours of 1, 2, 3, 4 are 3, 5, 7, not {few}"
### BEGIN HIDDEN TESTS
numbers = np.random.default_rng(MODULE_NUMBER).integers(-50, 50, size=40).tolist()
sums = {width: moving_sums(list(numbers), width) for width in (1, 3, 7, 39, 40)}
handed_over = [3, 1, 2]
first, again = moving_sums(handed_over, 2), moving_sums(handed_over, 2)
### JUDGE
for width in (1, 3, 7, 39, 40):
    expected = [sum(numbers[at:at + width]) for at in range(40 - width + 1)]
    assert len(sums[width]) == len(expected), f"with a width of {width}, 40 values have another number of sums"
    assert sums[width] == expected, f"with a width of {width}, a sum is wrong"
assert first == [4, 3], "the sums of two neighbours of 3, 1, 2 are 4, 3"
assert again == [4, 3], "the list that was handed over has changed"
### END HIDDEN TESTS

# %% [markdown]
# **What cannot be done (20 points).**

# %% nbgrader={"grade": true, "grade_id": "test_refusals", "locked": true, "points": 20, "schema_version": 3, "solution": false, "task": false}
too_wide = raised_by(moving_sums, [1, 2], 3)
### JUDGE
assert too_wide == "ValueError", "three of two values: that is a ValueError"
### BEGIN HIDDEN TESTS
raised = [raised_by(moving_sums, [1, 2, 3], width) for width in (0, -1, 4)] + [raised_by(moving_sums, [], 1)]
### JUDGE
assert raised == ["ValueError"] * 4, "a width of 0, below 0, or above the number of values is a ValueError"
### END HIDDEN TESTS

# %% [markdown]
# ## 3. Validate: the count of part 1, on your function

# %% tags=["validate"]
print(f"{'width':>5} {'obvious':>9} {'yours':>9}")
for width in (2, 4, 8, 16, 32):
    print(f"{width:5} {additions(obvious, 256, width):9} {additions(moving_sums, 256, width):9}")

# %% [markdown] nbgrader={"grade": false, "grade_id": "task_floats", "locked": true, "points": 30, "schema_version": 3, "solution": false, "task": true}
# **Question (30 points).** The values are floats now, and there are ten million of them. What goes wrong with sums that
# are made of each other, why does it not with the obvious way, and how would you measure which of the two to use?
#
# === BEGIN MARK SCHEME ===
# 10 points: rounding errors of all earlier steps stay in the current sum. 10 points: the obvious way begins anew with
# each sum, so that an error is of at most `width` additions. 10 points: a measurement that decides, such as the largest
# deviation from sums in a wider type against the time that both take, from the student's own run, whichever way it went.
# === END MARK SCHEME ===

# %% [markdown]
# ## Summary
#
# What two results share need not be computed twice, and what it costs to share it can be counted.
