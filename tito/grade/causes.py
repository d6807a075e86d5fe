"""Which of the student's cells went wrong, and which test that explains: said in words, for notes and messages.

Only what the notebook's owner may read: names and positions of cells, kinds of errors, limits. Nothing here gives or
takes a point.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import nbformat

from tito.course.cells import grade_id_of, kind_of
from tito.models import CellKind, CellVerdict, Verdict
from tito.plan.names import flow_of, names_of
from tito.plan.plan import TestPlan
from tito.sandbox.session import Ran

MISSING_NAME = re.compile(r"(?:NameError|UnboundLocalError): .*?'(\w+)'")
# All that a student reads of a hidden section that failed without words of the author's. How it failed is theirs to
# choose, and by what they choose they could tell themselves what they saw there: the verdict's kind is for the TA.
HIDDEN_FAILED = "A hidden check failed, or your code raised an error in it."
HIDDEN_LIMIT = "A hidden check was stopped, or not run: your code ran into a limit of time or memory."
SAID_OF_A_NAME = 80  # characters of an error's kind, which a student can make as long as they like


@dataclass(frozen=True)
class Failure:
    """A cell of the student's that did not run through: what to call it, what became of it, what it would have set."""

    cell: str
    what: str
    kind: CellKind
    would_set: frozenset[str]
    asked_for: frozenset[str]  # of that, what the instructor's cell in its place sets
    stopped: bool  # by us, at a limit

    @property
    def said(self) -> str:
        return f"{self.cell} {self.what}"


def named(cell: Any, position: int) -> str:
    """What to call a cell: by its grade id, or by its place among all cells."""
    grade_id = grade_id_of(cell)
    return f"cell '{grade_id}'" if grade_id else f"cell number {position + 1}"


def failures(
    cells: list[Any],
    source: tuple[Any, ...],
    ran: dict[int, Ran],
    bound: Callable[[list[int]], list[frozenset[str]]],
) -> list[Failure]:
    """The student's cells that did not run through, in order. Tests have verdicts of their own.

    A cell that the student was to fill would have set what the `source` sets there, too. What the student's own text
    would set, `bound` tells, by positions of cells: it is not parsed here.
    """
    failed = {at: one for at, one in sorted(ran.items()) if one.status not in ("ok", "not run")}
    failed = {at: one for at, one in failed.items() if kind_of(cells[at]) is not CellKind.TEST}
    if not failed:
        return []
    asked = {grade_id_of(cell): _bound(cell) for cell in source if grade_id_of(cell)}
    found = []
    for (position, one), names in zip(failed.items(), bound(list(failed)), strict=True):
        cell = cells[position]
        stopped, what = _became(one)
        asked_for = asked.get(grade_id_of(cell), frozenset())
        found.append(Failure(named(cell, position), what, kind_of(cell), names | asked_for, asked_for, stopped))
    return found


def _bound(cell: Any) -> frozenset[str]:
    flow = flow_of(cell.source) if cell.cell_type == "code" else None
    return flow.bound if flow is not None else frozenset()


def _became(ran: Ran) -> tuple[bool, str]:
    if ran.status == "timeout" or ran.ename == "CellTimeout":
        return True, "was stopped at its time limit"
    if ran.status == "died":
        return True, "ended the notebook's process"
    if ran.status == "memory" or ran.ename == "MemoryError":
        return True, "ran out of memory"
    return False, f"raised {ran.ename[:SAID_OF_A_NAME] or 'an error'}"


def stopped_output(ran: Ran) -> Any:
    """What stands under a cell of the student's that could not say itself what became of it."""
    said = f"This cell {_became(ran)[1]}."
    return nbformat.v4.new_output("error", ename=ran.status.upper(), evalue=said, traceback=[said])


def notes_on(found: list[Failure]) -> list[str]:
    """Notes for whoever looks at the submission. What a student's own extra cell raised is no news."""
    return [one.said for one in found if one.stopped or one.kind is CellKind.SOLUTION]


def explained(verdict: CellVerdict, test: TestPlan, found: list[Failure]) -> CellVerdict:
    """A test that missed a name tells which cell would have set it, and what became of that cell.

    Of a hidden section it is not looked at which name was missing, nor whether any was: that is the student's to
    choose. There the cell is told that was to set a name which the section reads, whatever it raised.
    """
    if HIDDEN_FAILED in verdict.message:
        read = frozenset[str]().union(*(_read(section.observe) for section, _ in test.hidden))
        cause = next((one for one in found if read & one.asked_for), None)
    elif verdict.verdict is Verdict.ERROR and (missing := MISSING_NAME.match(verdict.detail)):
        cause = next((one for one in found if missing[1] in one.would_set), None)
    else:
        return verdict
    return verdict if cause is None else replace(verdict, message=f"{verdict.message} ({cause.said}.)")


def _read(source: str) -> frozenset[str]:
    return names_of(source).read if flow_of(source) is not None else frozenset()
