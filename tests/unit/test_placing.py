"""Where the student's own cells go when the released order is put back."""

from __future__ import annotations

import itertools
from typing import Any

import nbformat
from hypothesis import given
from hypothesis import strategies as st

from tito.course.cells import Cell, read_cell
from tito.repair.placing import longest_run, placing


@given(st.permutations(range(7)))
def test_the_longest_run_is_one(numbers: list[int]) -> None:
    run = longest_run(numbers)
    in_order = [number for number in numbers if number in run]
    assert in_order == sorted(run)
    longer = itertools.combinations(numbers, len(run) + 1)
    assert not any(list(some) == sorted(some) for some in longer)


def code(source: str, **nbgrader: Any) -> Cell:
    return read_cell(nbformat.v4.new_code_cell(source, metadata={"nbgrader": nbgrader} if nbgrader else {}))


SOURCE = tuple(
    cell
    for name in "fgh"
    for cell in (
        code(f"def {name}(): pass", solution=True, grade_id=name),
        code(f"assert {name}() == 1", grade=True, grade_id=f"test_{name}"),
    )
)
OWN = "own"


def placed(*order: int | str) -> tuple[dict[int, int], dict[int, int]]:
    """Where own cells go, and what is run ahead, in a notebook of the source's cells, by number, and of own ones."""
    cells = [SOURCE[item] if isinstance(item, int) else code(item) for item in order]
    matches = {number: [at] for at, number in enumerate(order) if isinstance(number, int)}
    places = placing(cells, matches, SOURCE)
    return places.own, places.ahead


def test_own_cells_follow_the_cell_before_them() -> None:
    assert placed(OWN, 0, 1, OWN, OWN, 2, 3, 4, 5, OWN) == ({0: -1, 3: 1, 4: 1, 9: 5}, {})


def test_what_was_moved_does_not_drag_own_cells_along() -> None:
    """The last exercise at the top, and a helper below it that the first one needs."""
    assert placed(4, 5, OWN, 0, 1, 2, 3) == ({2: -1}, {})
    assert placed(0, 1, 4, 5, OWN, 2, 3) == ({4: 1}, {})


def test_an_own_cell_stays_before_the_tests_that_it_stood_before() -> None:
    """All solutions first, then all tests."""
    own, ahead = placed(0, 2, 4, OWN, 1, 3, 5)
    assert (own, ahead) == ({3: 0}, {})


def test_a_cell_that_an_earlier_test_needs_is_run_ahead() -> None:
    cells = [code("def f(): return h()"), SOURCE[4], SOURCE[1], SOURCE[2], SOURCE[3], SOURCE[5]]
    matches = {0: [0], 4: [1], 1: [2], 2: [3], 3: [4], 5: [5]}
    assert placing(cells, matches, SOURCE).ahead == {1: 0}
    unneeded = [SOURCE[0], *cells[1:]]
    assert placing(unneeded, matches, SOURCE).ahead == {}


def test_what_a_cell_that_is_run_ahead_needs_is_run_ahead_too() -> None:
    cells = [code("def g(): return 1"), code("def h(): return g()"), code("def f(): return h()"), SOURCE[1]]
    assert placing(cells, {2: [0], 4: [1], 0: [2], 1: [3]}, SOURCE).ahead == {0: 0, 1: 0}
