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
#     number: 11
#     name: endings
#     title: Endings
#     tier: Tests
#     difficulty: 1
#     time: 1 hour
#     prerequisites: [Base]
#     export: endings
#     summary: How functions end, and what tests leave behind.
# ---

# %% [markdown]
# # Endings

# %% nbgrader={"grade": false, "grade_id": "setup", "locked": true, "schema_version": 3, "solution": false, "task": false}
import numpy as np

from mini.base import as_floats

# %% nbgrader={"grade": false, "grade_id": "opened", "locked": false, "schema_version": 3, "solution": true, "task": false}
def opened(path):
    """The text of a file. Raises FileNotFoundError where there is none."""
    ### BEGIN SOLUTION
    with open(path) as file:
        return file.read()
    ### END SOLUTION

# %% nbgrader={"grade": true, "grade_id": "test_opened", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
try:
    opened("nothing.txt")
except FileNotFoundError as error:
    assert (error.errno, error.filename) == (2, "nothing.txt"), "the error that open raises"
else:
    assert False, "there is no such file"
### BEGIN HIDDEN TESTS
try:
    opened("zebrafish.txt")
except OSError as error:
    assert str(error) == "[Errno 2] No such file or directory: 'zebrafish.txt'", "quokka: the error that open raises"
else:
    assert False, "there is no such file"
### END HIDDEN TESTS

# %% nbgrader={"grade": false, "grade_id": "shelf", "locked": false, "schema_version": 3, "solution": true, "task": false}
class Full(OSError):
    """A shelf that holds no more."""


class Shelf:
    """Holds things up to a size. Raises Full beyond that, and MemoryError for what no shelf can hold."""

    ### BEGIN SOLUTION
    def __init__(self, size):
        self.size, self.things = size, []

    def put(self, thing, size=1):
        if size > 1000:
            raise MemoryError("no shelf is that large")
        if size > self.size:
            raise Full(28, "no room")
        self.size -= size
        self.things.append(thing)
    ### END SOLUTION

# %% nbgrader={"grade": true, "grade_id": "test_shelf", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
shelf = Shelf(2)
shelf.put("a book", 2)
try:
    shelf.put("another")
except Full as error:
    assert error.errno == 28, "there is no room on it"
else:
    assert False, "the shelf is full"
### BEGIN HIDDEN TESTS
try:
    Shelf(70617).put("zebrafish", 706173)
except MemoryError:
    pass
else:
    assert False, "quokka: too large for any shelf"
### END HIDDEN TESTS

# %% nbgrader={"grade": false, "grade_id": "checked", "locked": false, "schema_version": 3, "solution": true, "task": false}
def checked(values):
    """The values, if all are numbers above 0. Raises an ExceptionGroup of all that is wrong with them: ValueError for
    a number, TypeError for what is none."""
    ### BEGIN SOLUTION
    wrong = [ValueError(one) if isinstance(one, int) else TypeError(one) for one in values if one in ("", 0, -1, "a")]
    if wrong:
        raise ExceptionGroup("bad values", wrong)
    return values
    ### END SOLUTION

# %% nbgrader={"grade": true, "grade_id": "test_checked", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
assert checked([1, 2]) == [1, 2]
kinds = []
try:
    checked([1, -1, "a", 0])
except* ValueError as group:
    kinds.append(("value", [error.args[0] for error in group.exceptions]))
except* TypeError as group:
    kinds.append(("type", [error.args[0] for error in group.exceptions]))
assert kinds == [("value", [-1, 0]), ("type", ["a"])], kinds
### BEGIN HIDDEN TESTS
zebrafish = []
try:
    checked(["a", 706173])
except ExceptionGroup as group:
    zebrafish = group.exceptions
assert len(zebrafish) == 1 and isinstance(zebrafish[0], TypeError), "quokka: one wrong value"
### END HIDDEN TESTS

# %% nbgrader={"grade": false, "grade_id": "rate", "locked": false, "schema_version": 3, "solution": true, "task": false}
### BEGIN SOLUTION
rate = 4


def taxed(amount):
    return amount + rate
### END SOLUTION

# %% nbgrader={"grade": true, "grade_id": "test_rate", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
assert globals().get("rate", 0) == 4, "the rate is 4"
assert globals().get("no_such_name", "nothing") == "nothing"
### BEGIN HIDDEN TESTS
assert globals().get("taxed", abs)(70617) == 70621, "zebrafish: a large amount"
### END HIDDEN TESTS

# %% nbgrader={"grade": false, "grade_id": "smoothed", "locked": false, "schema_version": 3, "solution": true, "task": false}
width = 2


def smoothed(values):
    """The mean of each value and those before it, `width` of them together, as a list."""
    ### BEGIN SOLUTION
    return [float(np.mean(values[: at + 1][-width:])) for at in range(len(values))]
    ### END SOLUTION

# %% nbgrader={"grade": true, "grade_id": "test_smoothed", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
width_of_two = smoothed([1.0, 3.0, 5.0])
longest = max([len(width_of_two), len(smoothed([1.0]))], key=lambda length: length)
### JUDGE
assert width_of_two == [1.0, 2.0, 4.0], f"smoothed([1, 3, 5]) is {width_of_two}"
assert longest == 3, "as many means as values"
### BEGIN HIDDEN TESTS
zebrafish = [4.0, 70617.25]
means = smoothed(zebrafish)
again = width_of_two
### JUDGE
assert means == [4.0, 35310.625], f"smoothed of two values: {means}"
assert again == [1.0, 2.0, 4.0], "quokka: what the visible part has set is there"
### END HIDDEN TESTS

# %% nbgrader={"grade": false, "grade_id": "spread", "locked": false, "schema_version": 3, "solution": true, "task": false}
def spread(values):
    """The largest of the values less the smallest."""
    ### BEGIN SOLUTION
    return float(max(values) - min(values))
    ### END SOLUTION

# %% nbgrader={"grade": true, "grade_id": "test_spread", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
total = sum([spread([one, 5.0]) for one in (1.0, 2.0)], start=0.0)
rest = spread([1.0, 4.0, 2.0])
### JUDGE
assert rest == 3.0, f"spread([1, 4, 2]) is {rest}"
assert total == 7.0, f"the spreads of (1, 5) and (2, 5) add up to {total}"
### BEGIN HIDDEN TESTS
zebrafish = spread([70617.25, 0.25])
least = min((spread([706173.0, one]) for one in (1.0, 3.0)), default=0.0)
### JUDGE
assert zebrafish == 70617.0, f"two values: {zebrafish}"
assert least == 706170.0, "quokka: the least of two spreads"
### END HIDDEN TESTS
