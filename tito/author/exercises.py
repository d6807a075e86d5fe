"""Which test cells are an exercise's own: those that are to catch what is wrong in it.

The script says so by its order: a test belongs to the solution cells that stand before it, up to the test before those.
Where that is not so, a line of the test names them: '### TESTS EXERCISE: double, halve'. An exercise is called by its
solution cell.
"""

from __future__ import annotations

from collections.abc import Iterable

from tito.course.cells import Cell
from tito.errors import BadSource
from tito.models import CellKind
from tito.plan.directives import tested_cells


def own_tests(cells: Iterable[Cell]) -> dict[str, frozenset[str]]:
    """Grade ids of the tests of each exercise; none of one that no test is said to be for.

    Raises:
        BadSource: a test names what is no solution cell.
    """
    tests: dict[str, set[str]] = {}
    named: list[tuple[Cell, tuple[str, ...]]] = []
    before: list[str] = []
    is_behind_a_test = False
    for cell in cells:
        if cell.kind is CellKind.SOLUTION and cell.is_code:
            before = [cell.grade_id] if is_behind_a_test else [*before, cell.grade_id]
            is_behind_a_test = False
            tests[cell.grade_id] = set()
        elif cell.is_test:
            is_behind_a_test = True
            named.append((cell, tested_cells(cell.source) or tuple(before)))
    for test, exercises in named:
        for exercise in exercises:
            if exercise not in tests:
                raise BadSource(
                    f"{test.grade_id}: it says that it tests '{exercise}', and students write no cell of that name.",
                    hint=f"They write: {', '.join(tests)}.",
                )
            tests[exercise].add(test.grade_id)
    return {exercise: frozenset(own) for exercise, own in tests.items()}
