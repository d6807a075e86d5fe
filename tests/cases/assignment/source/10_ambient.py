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
#     number: 10
#     name: ambient
#     title: Ambient
#     tier: Tests
#     difficulty: 1
#     time: 1 hour
#     prerequisites: [Base]
#     export: ambient
#     summary: Tests that read a clock, a generator, a file after student code has run.
# ---

# %% [markdown]
# # Ambient

# %% nbgrader={"grade": false, "grade_id": "setup", "locked": true, "schema_version": 3, "solution": false, "task": false}
import random
import time
import tracemalloc
from pathlib import Path

import numpy as np

from mini.base import as_floats

# %% nbgrader={"grade": false, "grade_id": "shuffled", "locked": false, "schema_version": 3, "solution": true, "task": false}
def shuffled(values):
    """The values in another order, as a list."""
    ### BEGIN SOLUTION
    order = np.random.default_rng(len(values)).permutation(len(values))
    return [values[at] for at in order]
    ### END SOLUTION

# %% nbgrader={"grade": true, "grade_id": "test_shuffled", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
np.random.seed(7)
before = np.random.normal(size=3)
mixed = shuffled(before)
after = np.random.normal(size=4)
again = shuffled(after)
### JUDGE
assert sorted(mixed) == sorted(before), "shuffled must keep all values"
assert len(again) == 4 and sorted(again) == sorted(after), "shuffled must keep all values, each time"
### BEGIN HIDDEN TESTS
random.seed(706173)
zebrafish = [random.random() for _ in range(5)]
first = shuffled(zebrafish)
drawn = [random.random() for _ in range(6)]
second = shuffled(drawn)
### JUDGE
quokka = sorted(zebrafish)
assert sorted(first) == quokka, "five values"
assert len(second) == 6 and sorted(second) == sorted(drawn), "six values after five"
### END HIDDEN TESTS

# %% nbgrader={"grade": false, "grade_id": "distinct", "locked": false, "schema_version": 3, "solution": true, "task": false}
def distinct(values):
    """How many different values there are."""
    ### BEGIN SOLUTION
    return len(set(values))
    ### END SOLUTION

# %% nbgrader={"grade": true, "grade_id": "test_distinct", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
started = time.perf_counter()
three = distinct([1, 2, 2, 3])
took_s = time.perf_counter() - started
### JUDGE
assert three == 3, f"distinct([1, 2, 2, 3]) must be 3, got {three}"
assert took_s < 1.0, "distinct takes too long"
### BEGIN HIDDEN TESTS
tracemalloc.start()
zebrafish = distinct([706173 % n for n in range(1, 500)])
peak = tracemalloc.get_traced_memory()[1]
tracemalloc.stop()
### JUDGE
quokka = len({706173 % n for n in range(1, 500)})
assert zebrafish == quokka, "remainders"
assert peak < 10_000_000, "distinct needs too much memory"
### END HIDDEN TESTS

# %% nbgrader={"grade": false, "grade_id": "log", "locked": false, "schema_version": 3, "solution": true, "task": false}
def log(line):
    """Append a line to the file log.txt."""
    ### BEGIN SOLUTION
    with open("log.txt", "a") as file:
        file.write(line + "\n")
    ### END SOLUTION

# %% nbgrader={"grade": true, "grade_id": "test_log", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
log("one")
log("two")
lines = Path("log.txt").read_text().splitlines()
### JUDGE
assert lines[-2:] == ["one", "two"], f"the file ends with {lines[-2:]}"
### BEGIN HIDDEN TESTS
log("zebrafish")
zebrafish = open("log.txt").read().split()[-1]
### JUDGE
quokka = "zebrafish"
assert zebrafish == quokka, "one more line"
### END HIDDEN TESTS

# %% nbgrader={"grade": false, "grade_id": "ratio", "locked": false, "schema_version": 3, "solution": true, "task": false}
def ratio(a, b):
    """a / b for arrays of floats, without a warning where b is zero; numpy's settings stay as they were."""
    ### BEGIN SOLUTION
    with np.errstate(divide="ignore", invalid="ignore"):
        return as_floats(a) / as_floats(b)
    ### END SOLUTION

# %% nbgrader={"grade": true, "grade_id": "test_ratio", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
np.seterr(divide="warn")
halves = ratio([1.0, 2.0], [2.0, 4.0])
left = np.geterr()["divide"]
### JUDGE
np.testing.assert_allclose(halves, [0.5, 0.5], err_msg="ratio([1, 2], [2, 4])")
assert left == "warn", "numpy's settings must be as they were"
