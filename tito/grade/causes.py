"""Which of the student's cells went wrong, and which test that explains: said in words, for notes and messages.

Only what the notebook's owner may read: names and positions of cells, kinds of errors, limits. Nothing here gives or
takes a point.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import nbformat

from tito.course.cells import Cell
from tito.models import CellKind, CellVerdict, Verdict
from tito.plan.names import flow_in, flow_of, names_in
from tito.plan.plan import TestPlan
from tito.sandbox.inside.step_status import StepStatus
from tito.sandbox.steps import Ran

MISSING_NAME = re.compile(r"(?:NameError|UnboundLocalError): .*?'(\w+)'")
MISSING_MODULE = re.compile(r"No module named '(?P<module>[^\W\d]\w*)")
# All that a student reads of a hidden section that failed without words of the author's. How it failed is theirs to
# choose, and by what they choose they could tell themselves what they saw there: the verdict's kind is for the TA.
HIDDEN_FAILED = "A hidden check failed, or your code raised an error in it."
HIDDEN_LIMIT = "A hidden check was stopped, or not run: your code ran into a limit of time or memory."
WRITE_ERRORS = ("PermissionError", "OSError", "OperationalError")  # of a file that can only be read
READ_ONLY_DATABASE = "readonly database"  # as SQLite has it
SAID_OF_A_NAME = 80  # characters of an error's kind, which a student can make as long as they like


@dataclass(frozen=True)
class Missing:
    """A module that notebooks of a course cannot import, and the packages that they have."""

    module: str
    packages: tuple[str, ...]

    @property
    def sentence(self) -> str:
        return f"{self.module} is not among the packages of this course ({', '.join(self.packages)})"


@dataclass(frozen=True)
class Failure:
    """A cell of the student's that did not run through: what to call it, what became of it, what it would have set."""

    cell: str
    what: str
    kind: CellKind
    would_set: frozenset[str]
    asked_for: frozenset[str]  # of that, what the instructor's cell in its place sets
    stopped: bool  # by us, at a limit
    missing: Missing | None = None  # what it imports and notebooks of this course do not have

    @property
    def sentence(self) -> str:
        because = f": {self.missing.sentence}" if self.missing else ""
        return f"{self.cell} {self.what}{because}"


@dataclass(frozen=True)
class CoursePackages:
    """What notebooks of a course can import: its packages as the course names them, and modules of all of these."""

    names: tuple[str, ...]
    modules: frozenset[str]

    def missing(self, error: str) -> Missing | None:
        """What an import failed for because the course has no such package; None for any other error.

        A student's code can raise whatever it likes: of what is there this is not said, nor a text of its own choice.
        """
        match = MISSING_MODULE.search(error)
        module = match["module"] if match is not None and len(match["module"]) <= SAID_OF_A_NAME else ""
        if not module or module in self.modules or module in sys.stdlib_module_names:
            return None
        return Missing(module, self.names)

    def missing_in(self, verdict: CellVerdict) -> Missing | None:
        """The same of a test that says that an import failed, which none says of a hidden section."""
        failed = verdict.verdict is Verdict.ERROR and verdict.message.startswith(ModuleNotFoundError.__name__)
        return self.missing(verdict.message) if failed else None

    def explained(self, verdict: CellVerdict) -> CellVerdict:
        """A verdict that says so."""
        missing = self.missing_in(verdict)
        return replace(verdict, message=f"{verdict.message}: {missing.sentence}.") if missing else verdict


def named(cell: Cell, position: int) -> str:
    """What to call a cell: by its grade id, or by its place among all cells."""
    return f"cell '{cell.grade_id}'" if cell.grade_id else f"cell number {position + 1}"


def failures(
    cells: list[Cell],
    source: tuple[Cell, ...],
    ran: dict[int, Ran],
    bound: Callable[[list[int]], list[frozenset[str]]],
    packages: CoursePackages,
) -> list[Failure]:
    """The student's cells that did not run through, in order. Tests have verdicts of their own.

    A cell that the student was to fill would have set what the `source` sets there, too. What the student's own text
    would set, `bound` tells, by positions of cells: it is not parsed here.
    """
    failed = {at: step for at, step in sorted(ran.items()) if step.status not in (StepStatus.OK, StepStatus.NOT_RUN)}
    failed = {at: step for at, step in failed.items() if not cells[at].is_test}
    if not failed:
        return []
    asked = {cell.grade_id: _bound(cell) for cell in source if cell.grade_id}
    explained_by = []
    for (position, step), names in zip(failed.items(), bound(list(failed)), strict=True):
        cell = cells[position]
        stopped, what = _became(step)
        asked_for = asked.get(cell.grade_id, frozenset())
        missing = packages.missing(step.evalue) if step.ename == ModuleNotFoundError.__name__ else None
        explained_by.append(
            Failure(named(cell, position), what, cell.kind, names | asked_for, asked_for, stopped, missing)
        )
    return explained_by


def _bound(cell: Cell) -> frozenset[str]:
    flow = flow_of(cell.code) if cell.is_code else None
    return flow.bound if flow is not None else frozenset()


def _became(ran: Ran) -> tuple[bool, str]:
    if ran.status.is_over_time:
        return True, "was stopped at its time limit"
    if ran.status is StepStatus.DIED:
        return True, "ended the notebook's process"
    if ran.status is StepStatus.MEMORY or ran.ename == MemoryError.__name__:
        return True, "ran out of memory"
    return False, f"raised {ran.ename[:SAID_OF_A_NAME] or 'an error'}"


def stopped_output(ran: Ran) -> Any:
    """What stands under a cell of the student's that could not say itself what became of it."""
    text = f"This cell {_became(ran)[1]}."
    return nbformat.v4.new_output("error", ename=ran.status.upper(), evalue=text, traceback=[text])


def notes_on(causes: list[Failure]) -> list[str]:
    """Notes for whoever looks at the submission. What a student's own extra cell raised is no news."""
    return [cause.sentence for cause in causes if cause.stopped or cause.missing or cause.kind is CellKind.SOLUTION]


def notes_on_read_only(files: Collection[str], ran: Iterable[Ran]) -> list[str]:
    """A note where something of the student's failed because files of the assignment were too large to be a session's
    own on this machine."""
    errors = [step.evalue for step in ran if step.ename in WRITE_ERRORS]
    refused = [name for name in files if any(Path(name).name in error for error in errors)]
    if not refused and files and any(READ_ONLY_DATABASE in error for error in errors):
        refused = list(files)
    if not refused:
        return []
    why = "it is larger than what a submission may have of its own here ([files] copied_mb, [limits] scratch_mb)"
    return [f"{', '.join(refused)} could only be read, and the notebook would write to it: {why}"]


def explained(verdict: CellVerdict, test: TestPlan, causes: list[Failure]) -> CellVerdict:
    """A test that missed a name tells which cell would have set it, and what became of that cell.

    Of a hidden section it is not looked at which name was missing, nor whether any was: that is the student's to
    choose. There the cell is told that was to set a name which the section reads, whatever it raised.
    """
    if HIDDEN_FAILED in verdict.message:
        read = frozenset[str]().union(*(_read(section.observe) for section, _ in test.hidden))
        explanation = next((cause for cause in causes if read & cause.asked_for), None)
    elif verdict.verdict is Verdict.ERROR and (missing := MISSING_NAME.match(verdict.detail)):
        explanation = next((cause for cause in causes if missing[1] in cause.would_set), None)
    else:
        return verdict
    if explanation is None:
        return verdict
    return replace(verdict, message=f"{verdict.message} ({explanation.sentence}.)")


def _read(source: str) -> frozenset[str]:
    return names_in(source).read if flow_in(source) is not None else frozenset()
