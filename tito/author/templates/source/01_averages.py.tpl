# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
#   module:
#     number: 1
#     name: averages
#     title: Averages
# ---

# %% [markdown]
# # Averages
#
# Write functions that sum up a list of numbers. This module is an example: change it, or write your own beside it.

# %% nbgrader={"grade": false, "grade_id": "setup", "locked": true, "schema_version": 3, "solution": false, "task": false}
import numpy as np

# %% nbgrader={"grade": false, "grade_id": "mean", "locked": false, "schema_version": 3, "solution": true, "task": false}
def mean(numbers):
    """The mean of a sequence of numbers, which is not empty."""
    ### BEGIN SOLUTION
    return sum(numbers) / len(numbers)
    ### END SOLUTION

# %% nbgrader={"grade": true, "grade_id": "test_mean", "locked": true, "points": 4, "schema_version": 3, "solution": false, "task": false}
# Above ### JUDGE a test observes what student code does; below, a process without student code judges it.
small = mean([1, 2, 6])
### JUDGE
assert np.isclose(small, 3), f"the mean of 1, 2 and 6 is 3, not {small}"
### BEGIN HIDDEN TESTS
numbers = np.random.default_rng(1).normal(size=50)
many = mean(list(numbers))
### JUDGE
assert np.isclose(many, numbers.mean()), "negative numbers and many of them count too"
### END HIDDEN TESTS

# %% [markdown] nbgrader={"grade": true, "grade_id": "essay", "locked": false, "points": 1, "schema_version": 3, "solution": true, "task": false}
# **Question (1 point).** When is the mean a bad summary?
#
# *Your answer:*
