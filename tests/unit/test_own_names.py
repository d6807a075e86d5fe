"""Names that tests and students both set, and what a test's names mean: without a sandbox."""

from __future__ import annotations

import builtins
import marshal
from typing import Any

import nbformat
import pytest

from tito.course.cells import read_cells
from tito.plan.compile import compiled_section
from tito.plan.meanings import Meanings
from tito.sandbox.inside.own_names import OwnNames, alias_of


def run(own: OwnNames, names: dict[str, Any], source: str, shared: str = "", of_tests: str = "") -> None:
    with own.at_work(names, shared.split(), of_tests.split()):
        exec(source, names)


@pytest.fixture
def names() -> dict[str, Any]:
    return {"__builtins__": builtins, "back": "the student's", "limit": 1}


def test_what_is_new_stays_as_under_nbgrader(names: dict[str, Any]) -> None:
    own = OwnNames()
    run(own, names, "data = 1")
    run(own, names, "data = 2")
    assert names["data"] == 2, "what a test has left is no student's"


def test_what_is_the_students_too_is_put_back_and_found_again(names: dict[str, Any]) -> None:
    own = OwnNames()
    run(own, names, "back = 7")
    assert names["back"] == "the student's"
    run(own, names, "seen = back", of_tests="back")
    assert (names["seen"], names["back"]) == (7, "the student's")
    run(own, names, "seen = back")
    assert names["seen"] == "the student's", "a section that does not mean the test's calls code of the student's"


def test_what_a_student_sets_after_a_test_is_theirs(names: dict[str, Any]) -> None:
    own = OwnNames()
    run(own, names, "data = 1")
    names["data"] = "the student's"
    run(own, names, "data = 2")
    assert names["data"] == "the student's"


def test_what_a_test_deletes_or_breaks_off_is_put_back(names: dict[str, Any]) -> None:
    own = OwnNames()
    run(own, names, "del back")
    assert names["back"] == "the student's"
    with pytest.raises(ZeroDivisionError):
        run(own, names, "back = 3\n1 / 0")
    assert names["back"] == "the student's"


def test_what_the_instructor_sets_elsewhere_is_left_as_the_test_sets_it(names: dict[str, Any]) -> None:
    run(OwnNames(), names, "limit = 3", shared="limit")
    assert names["limit"] == 3


# ---- meanings ----------------------------------------------------------------------------------


def meanings(*others: str, test: str = "") -> Meanings:
    nbgrader = {"grade": True, "solution": False, "locked": True, "grade_id": "test", "points": 1, "schema_version": 3}
    cells = [nbformat.v4.new_code_cell(source) for source in others]
    cells.append(nbformat.v4.new_code_cell(test, metadata={"nbgrader": nbgrader | {"task": False}}))
    return Meanings.of(read_cells(cells))


@pytest.mark.parametrize(
    ("others", "section", "pythons"),
    [
        ("", "x = sum([1])", ("sum",)),
        ("def sum(values): return 0", "x = sum([1])", ()),
        ("from numpy import *", "x = sum([1])", ()),
        ("%precision 3\nsum = 4", "x = sum([1])", ()),
        ("", "def f(sum):\n    return sum\nx = max(f(1), 2)", ("max",)),
        ("", "class A(B):\n    def f(self):\n        return super().f()", ()),
        ("", "import builtins\nbuiltins.open = fake\nopen('x')", ()),
        ("", "print = print", ()),
    ],
)
def test_what_a_section_calls_is_pythons_unless_something_defines_it(
    others: str, section: str, pythons: tuple[str, ...]
) -> None:
    assert meanings(others, test=section).in_section(section).pythons == pythons


def test_a_section_tells_what_it_shares_and_what_it_reads_of_tests() -> None:
    names = meanings("limit = 1", test="limit, data = 2, 3").in_section("limit = data + 1")
    assert (names.shared, names.of_tests) == (("limit",), ("data",))


def test_compiled_code_calls_pythons_own() -> None:
    code = marshal.loads(compiled_section("x = [sum(one) for one in [[1, 2]]]", ("sum",)))
    names = {"__builtins__": {alias_of("sum"): sum}, "sum": lambda _: "the student's"}
    exec(code, names)
    assert names["x"] == [3]
