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
#     number: 8
#     name: claims
#     title: Claims
#     tier: Tests
#     difficulty: 1
#     time: 1 hour
#     prerequisites: [Base]
#     export: claims
#     summary: What a judge can verify of what it is told.
# ---

# %% [markdown]
# # Claims

# %% nbgrader={"grade": false, "grade_id": "setup", "locked": true, "schema_version": 3, "solution": false, "task": false}
import re
from pathlib import Path

import numpy as np

from mini.base import as_floats

# %% nbgrader={"grade": false, "grade_id": "scaled", "locked": false, "schema_version": 3, "solution": true, "task": false}
def scaled(values, factor):
    """Each value times the factor, as a new list of floats."""
    ### BEGIN SOLUTION
    return [float(value) * factor for value in values]
    ### END SOLUTION

# %% nbgrader={"grade": true, "grade_id": "test_scaled", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
three = scaled([1, 2, 3], 2)
### JUDGE
assert three == [2.0, 4.0, 6.0], f"scaled([1, 2, 3], 2) must be [2, 4, 6], got {three}"
### BEGIN HIDDEN TESTS
zebrafish = [3.5, -70617.25, 12.0]
once = scaled(zebrafish, 3)
twice = scaled(zebrafish, 3)  # the same list again: what comes of one that was changed is seen here
many = [scaled([n, n + 1], n) for n in range(4)]
### JUDGE
quokka = [10.5, -211851.75, 36.0]
assert once == quokka, "negative values, and a factor of 3"
assert twice == quokka, "the list that scaled is given must be as it was"
assert many == [[0.0, 0.0], [1.0, 2.0], [4.0, 6.0], [9.0, 12.0]], "several lists, one after another"
### END HIDDEN TESTS

# %% nbgrader={"grade": false, "grade_id": "counted", "locked": false, "schema_version": 3, "solution": true, "task": false}
def counted(values):
    """How often each value is there, as a dict."""
    ### BEGIN SOLUTION
    counts = {}
    for value in values:
        counts[value] = counts.get(value, 0) + 1
    return counts
    ### END SOLUTION

# %% nbgrader={"grade": true, "grade_id": "test_counted", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
letters = counted(["a", "b", "a"])
### JUDGE
assert letters == {"a": 2, "b": 1}, f"counted(['a', 'b', 'a']) is {letters}"
### BEGIN HIDDEN TESTS
zebrafish = [706173 % n for n in range(1, 400)]
remainders = counted(zebrafish)
### JUDGE
quokka = {value: zebrafish.count(value) for value in zebrafish}
assert remainders == quokka, "remainders, each as often as it is there"
### MEASURED
# assert wall_s < 1.0, "counted waits for something"
# assert cpu_s < 0.8, "counted does too much work"
# assert peak_mb < 250, "counted needs too much memory"
### END HIDDEN TESTS

# %% nbgrader={"grade": false, "grade_id": "error", "locked": false, "schema_version": 3, "solution": true, "task": false}
def error(guess, truth):
    """The mean of the distances between a guess and the truth."""
    ### BEGIN SOLUTION
    return float(np.abs(as_floats(guess) - as_floats(truth)).mean())
    ### END SOLUTION

# %% nbgrader={"grade": true, "grade_id": "test_error", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
halves = error([1.0, 2.0], [1.5, 1.5])
### JUDGE
assert halves == 0.5, f"error([1, 2], [1.5, 1.5]) must be 0.5, got {halves}"
### BEGIN HIDDEN TESTS
zebrafish = np.random.default_rng(706173).normal(size=9)
quokka = np.convolve(zebrafish, np.ones(3) / 3, "valid")
distance = error(quokka + 2.0, quokka.copy())
### JUDGE
assert isinstance(distance, float) and abs(distance - 2.0) < 1e-9, "a guess that is too large by 2 everywhere"
### END HIDDEN TESTS

# %% nbgrader={"grade": false, "grade_id": "smoothed", "locked": false, "schema_version": 3, "solution": true, "task": false}
def smoothed(values):
    """The mean of each three values that follow each other, as an array."""
    ### BEGIN SOLUTION
    as_array = as_floats(values)
    return (as_array[:-2] + as_array[1:-1] + as_array[2:]) / 3
    ### END SOLUTION

# %% nbgrader={"grade": true, "grade_id": "test_smoothed", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false}
four = smoothed([0.0, 3.0, 6.0, 0.0])
### JUDGE
assert isinstance(four, np.ndarray) and four.shape == (2,), "smoothed must return an array, of two less"
np.testing.assert_allclose(four, [3.0, 3.0], err_msg="smoothed([0, 3, 6, 0])")
### BEGIN HIDDEN TESTS
zebrafish = np.random.default_rng(706173).normal(size=9)
smooth = smoothed(zebrafish.copy())
### JUDGE
quokka = np.convolve(zebrafish, np.ones(3) / 3, "valid")
assert isinstance(smooth, np.ndarray) and smooth.shape == quokka.shape, "nine values must become an array of seven"
np.testing.assert_allclose(smooth, quokka, err_msg="nine random values")
### END HIDDEN TESTS

# %% nbgrader={"grade": false, "grade_id": "table", "locked": false, "schema_version": 3, "solution": true, "task": false}
def table(rows):
    """Rows of (name, value) as a dict: for each name the array of its values, in the order of the rows."""
    ### BEGIN SOLUTION
    columns = {}
    for name, value in rows:
        columns.setdefault(name, []).append(float(value))
    return {name: as_floats(values) for name, values in columns.items()}
    ### END SOLUTION

# %% nbgrader={"grade": true, "grade_id": "test_table", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
two = table([("a", 1), ("b", 2), ("a", 3)])
### JUDGE
assert isinstance(two, dict) and len(two) == 2, "table must return a dict with a key for each name"
### CHECK names (1): the names are the keys
assert set(two) == {"a", "b"}
### CHECK columns (1): the values of each name are an array
np.testing.assert_array_equal(two["a"], [1.0, 3.0])
np.testing.assert_array_equal(two["b"], [2.0])

# %% nbgrader={"grade": false, "grade_id": "rooted", "locked": false, "schema_version": 3, "solution": true, "task": false}
def rooted(values):
    """The square root of each value, as a list."""
    ### BEGIN SOLUTION
    return [float(value) ** 0.5 for value in values]
    ### END SOLUTION

# %% nbgrader={"grade": true, "grade_id": "test_rooted", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
roots = rooted([0.0, 1.0, 4.0])
### JUDGE
assert len(roots) == 3 and np.allclose(roots, [0.0, 1.0, 2.0]), f"rooted([0, 1, 4]) is {roots}"
### BEGIN HIDDEN TESTS
zebrafish = np.linspace(1.0, 70617.25, 20_000)
long = rooted(zebrafish.copy())
### JUDGE
assert isinstance(long, list) and len(long) == 20_000, "a list of as many roots as there are values"
np.testing.assert_allclose(long, np.sqrt(zebrafish), err_msg="twenty thousand values")
### END HIDDEN TESTS

# %% nbgrader={"grade": false, "grade_id": "exponent", "locked": false, "schema_version": 3, "solution": true, "task": false}
def exponent(number):
    """The largest whole number n for which 2 ** n is not above `number`."""
    ### BEGIN SOLUTION
    return int(number).bit_length() - 1
    ### END SOLUTION

# %% nbgrader={"grade": true, "grade_id": "test_exponent", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
ten = exponent(1024)
### JUDGE
assert isinstance(ten, int) and 2**ten == 1024, "2 to the power of exponent(1024) must be 1024"
### BEGIN HIDDEN TESTS
zebrafish = exponent(706173)
### JUDGE
assert 2**zebrafish <= 706173 < 2 ** (zebrafish + 1), "a number between two powers"
### END HIDDEN TESTS

# %% nbgrader={"grade": false, "grade_id": "tree", "locked": false, "schema_version": 3, "solution": true, "task": false}
def tree(edges):
    """The parent of each node, as a dict, of edges (parent, child); that of the root, 0, is None."""
    ### BEGIN SOLUTION
    return {0: None} | {child: parent for parent, child in edges}
    ### END SOLUTION

# %% nbgrader={"grade": true, "grade_id": "test_tree", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
parents = tree([(0, 1), (0, 2), (2, 3)])
### JUDGE
node, way = 3, [3]
while node != 0:
    node = parents[node]
    way.append(node)
assert way == [3, 2, 0], f"the way from 3 to the root is {way}"
### BEGIN HIDDEN TESTS
zebrafish = tree([(n // 2, n) for n in range(1, 60)])
### JUDGE
quokka = 0
for leaf in range(1, 60):
    node = leaf
    while node != 0:
        node = zebrafish[node]
        quokka += 1
assert quokka == 297, "the ways of sixty nodes to the root"
### END HIDDEN TESTS

# %% nbgrader={"grade": false, "grade_id": "year", "locked": false, "schema_version": 3, "solution": true, "task": false}
def year():
    """A regular expression for a year of four digits."""
    ### BEGIN SOLUTION
    return r"[0-9]{4}"
    ### END SOLUTION

# %% nbgrader={"grade": true, "grade_id": "test_year", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
pattern = year()
### JUDGE
assert re.fullmatch(pattern, "1999"), "1999 is a year"
### BEGIN HIDDEN TESTS
zebrafish = year()
### JUDGE
assert re.fullmatch(zebrafish, "7061"), "a year to come"
assert not re.fullmatch(zebrafish, "706173706173706173706173706173706173706173quokka"), "no year at all"
### END HIDDEN TESTS

# %% nbgrader={"grade": false, "grade_id": "saved", "locked": false, "schema_version": 3, "solution": true, "task": false}
def save(path, values):
    """Write the values to a file, one a line; return its path."""
    ### BEGIN SOLUTION
    Path(path).write_text("".join(f"{float(value)}\n" for value in values))
    return path
    ### END SOLUTION


def load(path):
    """The values of such a file, as a list of floats."""
    ### BEGIN SOLUTION
    return [float(line) for line in Path(path).read_text().splitlines()]
    ### END SOLUTION

# %% nbgrader={"grade": true, "grade_id": "test_saved", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
text = Path(save("numbers.txt", [1.5, 2.5])).read_text()
back = load("numbers.txt")
### JUDGE
assert text.split() == ["1.5", "2.5"], f"the file of [1.5, 2.5] holds {text!r}"
assert back == [1.5, 2.5], f"[1.5, 2.5], written and read, is {back}"
### BEGIN HIDDEN TESTS
first, second = save("zebrafish.txt", [70617.25, -1.0]), save("other.txt", [])
read = [load(first), load(second), load("numbers.txt")]
### JUDGE
assert read == [[70617.25, -1.0], [], [1.5, 2.5]], "two files, and the one of the visible test"
### END HIDDEN TESTS
