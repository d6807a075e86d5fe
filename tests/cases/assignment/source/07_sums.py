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
#     number: 7
#     name: sums
#     title: Sums
#     tier: Tests
#     difficulty: 1
#     time: 1 hour
#     prerequisites: [Base]
#     export: sums
#     summary: Sums and what is made of them.
# ---

# %% [markdown]
# # Sums

# %% nbgrader={"grade": false, "grade_id": "setup", "locked": true, "schema_version": 3, "solution": false, "task": false}
import numpy as np

from mini.base import as_floats

# %% tags=["warmup"]
warm = as_floats([1, 2, 3])
print("warm", warm.sum())

# %% [markdown]
# ## Totals

# %% nbgrader={"grade": false, "grade_id": "total", "locked": false, "schema_version": 3, "solution": true, "task": false}
def total(values):
    """The sum of the values, as a float."""
    ### BEGIN SOLUTION
    added = 0.0
    for value in values:
        added += float(value)
    return added
    ### END SOLUTION

# %% nbgrader={"grade": true, "grade_id": "test_total", "locked": true, "points": 4, "schema_version": 3, "solution": false, "task": false}
small = total([1.0, 2.0, 4.0])
### JUDGE
assert isinstance(small, float), "total must return a float"
assert small == 7.0, f"total([1, 2, 4]) must be 7, got {small}"
### BEGIN HIDDEN TESTS
ZEBRAFISH_SEED = 706173
zebrafish = np.random.default_rng(ZEBRAFISH_SEED).normal(size=7)
found = total(zebrafish.copy())
nothing = total([])
### JUDGE
quokka = float(zebrafish.sum())
assert isinstance(found, float), "total must return a float for an array too"
assert abs(found - quokka) < 1e-9, f"the total of seven random numbers is wrong: {found}, not {quokka}"
assert nothing == 0.0, "the total of nothing is 0"
### END HIDDEN TESTS

# %% [markdown]
# ## Shares

# %% nbgrader={"grade": false, "grade_id": "shares", "locked": false, "schema_version": 3, "solution": true, "task": false}
def shares(values):
    """Each value's share of the total, as an array."""
    ### BEGIN SOLUTION
    as_array = as_floats(values)
    return as_array / total(as_array)
    ### END SOLUTION

# %% nbgrader={"grade": true, "grade_id": "test_shares", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false}
quarters = shares([1.0, 1.0, 2.0])
### JUDGE
np.testing.assert_allclose(quarters, [0.25, 0.25, 0.5], err_msg="shares([1, 1, 2])")
### BEGIN HIDDEN TESTS
zebrafish_parts = np.linspace(1.0, 70617.25, 11)
parts = shares(zebrafish_parts.copy())
### JUDGE
assert isinstance(parts, np.ndarray) and parts.dtype == np.float64, "shares must return an array of float64"
np.testing.assert_allclose(parts, zebrafish_parts / zebrafish_parts.sum(), err_msg="shares of eleven values")
quokka_sum = parts.sum()
assert abs(quokka_sum - 1.0) < 1e-9, "the shares must add up to 1"
### END HIDDEN TESTS

# %% [markdown]
# ## Running sums

# %% nbgrader={"grade": false, "grade_id": "running", "locked": false, "schema_version": 3, "solution": true, "task": false}
def running(values):
    """The sums of the first value, of the first two, and so on, as a list of floats."""
    ### BEGIN SOLUTION
    sums_so_far = []
    for value in values:
        sums_so_far.append(float(value) + (sums_so_far[-1] if sums_so_far else 0.0))
    return sums_so_far
    ### END SOLUTION

# %% nbgrader={"grade": true, "grade_id": "test_running", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
steps = running([1, 2, 3])
### JUDGE
assert steps == [1.0, 3.0, 6.0], f"running([1, 2, 3]) must be [1, 3, 6], got {steps}"
### BEGIN HIDDEN TESTS
zebrafish_steps = [3.5, -70617.25, 12.0, 0.0]
walked = running(list(zebrafish_steps))
### JUDGE
quokka_walk = [3.5, -70613.75, -70601.75, -70601.75]
assert walked == quokka_walk, f"negative values: {walked}, not {quokka_walk}"
### END HIDDEN TESTS

# %% [markdown]
# ## Largest

# %% nbgrader={"grade": false, "grade_id": "largest", "locked": false, "schema_version": 3, "solution": true, "task": false}
def largest(values):
    """The largest of the values; of none, None."""
    ### BEGIN SOLUTION
    ordered = sorted(values)
    return ordered[-1] if ordered else None
    ### END SOLUTION

# %% nbgrader={"grade": true, "grade_id": "test_largest", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# No judge line: a test as other people's courses have it, its asserts beside the student's code.
assert isinstance(largest([1, 3, 2]), int), "largest must return one of the values"
np.testing.assert_allclose(largest([1.5, -2.0]), 1.5)
### BEGIN HIDDEN TESTS
assert np.allclose(largest([-3.0, -70617.25]), -3.0), "zebrafish: all values negative"
assert largest([]) is None, "quokka: no values"
assert largest([4, 70617, 5]) == 70617
### END HIDDEN TESTS

# %% [markdown] nbgrader={"grade": false, "grade_id": "task_why", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": true}
# **Question (2 points).** Why does the order of a sum of floats matter?
#
# === BEGIN MARK SCHEME ===
# zebrafish: one point for rounding, one for quokka
# === END MARK SCHEME ===

# %% [markdown]
# Write below this line.
