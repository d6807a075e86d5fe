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
#     number: 9
#     name: foreign
#     title: Foreign
#     tier: Tests
#     difficulty: 1
#     time: 1 hour
#     prerequisites: [Base]
#     export: foreign
#     summary: Tests as other people write them, without judge halves.
# ---

# %% [markdown]
# # Foreign

# %% nbgrader={"grade": false, "grade_id": "setup", "locked": true, "schema_version": 3, "solution": false, "task": false}
import json
import sqlite3

from mini.base import as_floats

# %% nbgrader={"grade": false, "grade_id": "expression", "locked": false, "schema_version": 3, "solution": true, "task": false}
def expression(number):
    """An expression in Python, as text, that is worth `number`."""
    ### BEGIN SOLUTION
    return f"{number - 1} + 1"
    ### END SOLUTION

# %% nbgrader={"grade": true, "grade_id": "test_expression", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
assert eval(expression(10)) == 10, "the expression for 10"
### BEGIN HIDDEN TESTS
assert eval(expression(706173)) == 706173, "zebrafish: a large number"
assert expression(3) != "3", "quokka: not the number itself"
### END HIDDEN TESTS

# %% nbgrader={"grade": false, "grade_id": "report", "locked": false, "schema_version": 3, "solution": true, "task": false}
def report(student):
    """The name of a student's file of text, and what it says."""
    ### BEGIN SOLUTION
    return f"{student}.txt", f"report of {student}"
    ### END SOLUTION

# %% nbgrader={"grade": true, "grade_id": "test_report", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
name, text = report("ada")
with open(name, "w") as file:
    file.write(text)
with open("ada.txt") as file:
    assert file.read() == "report of ada", "the file of ada"
### BEGIN HIDDEN TESTS
name, text = report("quokka")
with open(name, "w") as file:
    file.write(text)
with open("quokka.txt") as file:
    assert file.read() == "report of quokka"
### END HIDDEN TESTS

# %% nbgrader={"grade": false, "grade_id": "cheapest", "locked": false, "schema_version": 3, "solution": true, "task": false}
def cheapest():
    """The SQL for the name of what costs least in a table `goods` of names and prices."""
    ### BEGIN SOLUTION
    return "SELECT name FROM goods ORDER BY price LIMIT 1"
    ### END SOLUTION

# %% nbgrader={"grade": true, "grade_id": "test_cheapest", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
shop = sqlite3.connect("mini/shop/shop.db")
rows = shop.execute(cheapest()).fetchall()
shop.commit()
shop.close()
assert rows == [("pear",)], f"the cheapest is {rows}"
### BEGIN HIDDEN TESTS
shop = sqlite3.connect("mini/shop/shop.db")
zebrafish = shop.execute(cheapest()).fetchall()
goods = shop.execute("SELECT name, price FROM goods ORDER BY name").fetchall()
shop.close()
assert zebrafish == [("pear",)], "quokka: asked a second time"
assert goods == [("apple", 3.0), ("pear", 1.5), ("plum", 2.0), ("quince", 7.25)]
### END HIDDEN TESTS

# %% nbgrader={"grade": false, "grade_id": "summary", "locked": false, "schema_version": 3, "solution": true, "task": false}
def summary(values):
    """The smallest and the largest value, as a dict."""
    ### BEGIN SOLUTION
    return {"low": min(values), "high": max(values)}
    ### END SOLUTION

# %% nbgrader={"grade": true, "grade_id": "test_summary", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
with open("summary.json", "w") as file:
    json.dump(summary([3, 1, 2]), file)
with open("summary.json") as file:
    assert json.load(file) == {"low": 1, "high": 3}
### BEGIN HIDDEN TESTS
with open("zebrafish.json", "w") as file:
    json.dump(summary([-70617.25, 4]), file)
with open("zebrafish.json") as file:
    assert json.load(file) == {"low": -70617.25, "high": 4}
### END HIDDEN TESTS

# %% nbgrader={"grade": false, "grade_id": "ordered", "locked": false, "schema_version": 3, "solution": true, "task": false}
def ordered(values):
    """The values from the smallest to the largest, as a new list."""
    ### BEGIN SOLUTION
    return sorted(values)
    ### END SOLUTION


def middle(values):
    """The one in the middle of the ordered values, as a float."""
    ### BEGIN SOLUTION
    return float(ordered(values)[len(values) // 2])
    ### END SOLUTION


class Point:
    """A point in the plane."""

    ### BEGIN SOLUTION
    def __init__(self, x, y):
        self.x, self.y = x, y

    def moved(self, by):
        return Point(self.x + by, self.y)

    def __eq__(self, other):
        return (self.x, self.y) == (other.x, other.y)

    __hash__ = None
    ### END SOLUTION

# %% nbgrader={"grade": true, "grade_id": "test_ordered", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
values = [3, 1, 2]
assert ordered(values) == sorted(values)
assert len(values) == 3
### BEGIN HIDDEN TESTS
values = [706173, -5, 4, 4]
assert ordered(values) == sorted(values), "zebrafish: four values"
quokka = {"numbers": [9, 8, 7]}
assert ordered(quokka["numbers"]) == sorted(quokka["numbers"])
### END HIDDEN TESTS

# %% nbgrader={"grade": true, "grade_id": "test_middle", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
def check(value, wanted):
    assert value == wanted, "not what is wanted"


check(Point(1, 2).moved(3), Point(4, 2))
check(middle([3, 1, 2]), 2.0)
### BEGIN HIDDEN TESTS
check(middle([70617.25, 4, 70618]), 70617.25)
quokka = middle([5, 6, 706173])
if isinstance(quokka, float):
    assert quokka == 6.0, "zebrafish: the middle of three"
else:
    assert quokka == 6, "any kind of number will do"
### END HIDDEN TESTS

# %% nbgrader={"grade": false, "grade_id": "shout", "locked": false, "schema_version": 3, "solution": true, "task": false}
class TooLoud(Exception):
    """For what is loud already."""


def shout(word):
    """The word in capitals with an exclamation mark. Raises TooLoud where it has one."""
    ### BEGIN SOLUTION
    if word.endswith("!"):
        raise TooLoud(word)
    return word.upper() + "!"
    ### END SOLUTION

# %% nbgrader={"grade": true, "grade_id": "test_shout", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
assert shout("hey") == "HEY!"
### BEGIN HIDDEN TESTS
assert shout("zebrafish") == "ZEBRAFISH!"
try:
    shout("quokka!")
except TooLoud:
    pass
else:
    assert False, "quokka! is loud already"
### END HIDDEN TESTS
assert shout("you") == "YOU!", "another word"
