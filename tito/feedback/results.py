"""What a page says of a submission: points and verdicts, from the gradebook and the record. No HTML here.

Of a test its message, and whether it gave all its points: how it failed, its details, and what it took where something
hidden was run before, are not for students.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import Enum
from pathlib import Path
from typing import Any

from tito.author.exercises import own_tests
from tito.course.cells import Cell
from tito.course.course_policy import in_utc
from tito.course.submission_files import RECEIPT, Unreadable, read_regular_file, submitted_at
from tito.errors import BadSource
from tito.exchange.protocol.records import receipt_sha256
from tito.grade.graded_notebook import as_told
from tito.gradebook.by_hand import ByHand
from tito.models import (
    CellKind,
    CellVerdict,
    CheckVerdict,
    Evidence,
    GradeRow,
    NotebookVerdicts,
    SubmissionRecord,
    Verdict,
)
from tito.plain_text import shortened, without_controls
from tito.plan.directives import Hint, hints_of
from tito.plan.test_cell import hidden_source

OUTSIDE = (Evidence.JUDGED, Evidence.REMOTE)
HEADING = re.compile(r"^#{1,6}[ \t]+(?P<title>.*\S)", re.MULTILINE)
WORTH = re.compile(r"\s*\([^()]*\bpoints?\b[^()]*\)\s*$")  # which the page tells itself
LONGEST_MESSAGE = 4000


class Result(Enum):
    """What became of a graded cell, in a student's words."""

    PASSED = "passed"
    PARTLY = "partly"
    FAILED = "not passed"
    BY_HAND = "graded by hand"
    WAITS = "waits for a person"
    OURS = "not graded yet: our fault"


@dataclass(frozen=True)
class CheckResult:
    """What a named check gave."""

    name: str
    points: float
    max_points: float
    message: str = ""
    hints: tuple[str, ...] = ()

    @property
    def passed(self) -> bool:
        return self.points >= self.max_points


@dataclass(frozen=True)
class CellResult:
    """What is said of a graded cell. `exercise` is what the notebook calls it."""

    grade_id: str
    kind: CellKind
    exercise: str
    result: Result
    points: float | None
    max_points: float
    message: str = ""
    checks: tuple[CheckResult, ...] = ()
    hints: tuple[str, ...] = ()
    seconds: float = 0.0
    memory_mb: float = 0.0
    extra: float = 0.0
    solutions: tuple[str, ...] = ()  # grade ids of the cells that it looks at
    has_hidden: bool = False

    @property
    def lost(self) -> bool:
        """Whether it did not give all its points."""
        return self.result in (Result.FAILED, Result.PARTLY)


@dataclass(frozen=True)
class Exercises:
    """What a notebook of the course calls its graded cells, and which cells these look at."""

    names: dict[str, str] = field(default_factory=dict)
    solutions: dict[str, tuple[str, ...]] = field(default_factory=dict)


def exercises_of(cells: Iterable[Cell]) -> Exercises:
    """By the headings that stand above, in the course's own notebook: one of a student's could say anything."""
    cells = tuple(cells)
    try:
        tests = own_tests(cells)
    except BadSource:  # a line that names what is not there, which the gates tell of
        tests = {}
    solutions: dict[str, tuple[str, ...]] = {}
    for exercise, own in tests.items():
        for test in own:
            solutions[test] = (*solutions.get(test, ()), exercise)
    names, heading = {}, ""
    for cell in cells:
        if cell.cell_type == "markdown" and (title := heading_in(cell.source)):
            heading = title
        if cell.grade_id:
            names[cell.grade_id] = heading
    names |= {test: names.get(own[0], "") for test, own in solutions.items()}
    graded = [cell.grade_id for cell in cells if cell.is_graded]
    shared = Counter(names[grade_id] for grade_id in graded)
    for grade_id in graded:  # several below one heading are told apart by what they are about
        if shared[heading := names[grade_id]] > 1:
            names[grade_id] = f"{heading}: {', '.join(solutions.get(grade_id, (grade_id,)))}" if heading else ""
    return Exercises(names, solutions)


def heading_in(text: str) -> str:
    """The last heading of a text, without what Markdown marks and what it says of points."""
    titles = [match["title"] for match in HEADING.finditer(text)]
    return WORTH.sub("", titles[-1].replace("`", "").replace("*", "")).strip() if titles else ""


@dataclass(frozen=True)
class Submitted:
    """What was graded: when it was handed in, and the receipt that was given for it."""

    handed_in: str = ""
    receipt: str = ""
    has_newer: bool = False  # something else has been collected since


@dataclass(frozen=True)
class Card:
    """What stands on top of a page."""

    title: str
    assignment: str
    notebook: str
    student: str
    name: str
    row: GradeRow
    extra: float
    submitted: Submitted
    graded_at: str = ""
    sandbox: str = ""
    tests_revision: str = ""
    all_outside: bool = False
    notes: tuple[str, ...] = ()


def card_of(
    row: GradeRow,
    hand: ByHand,
    record: SubmissionRecord | None,
    submitted: Submitted,
    *,
    title: str,
    assignment: str,
    notebook: str,
) -> Card:
    """What stands on top of the page of a notebook."""
    judged = [cell for cell in record.cells if cell.evidence is not Evidence.NONE] if record else []
    verdicts = verdicts_of(record, notebook)
    return Card(
        title=title,
        assignment=assignment,
        notebook=notebook,
        student=row.student_id,
        name=without_controls(" ".join(filter(None, (row.first_name, row.last_name)))),
        row=row,
        extra=sum(hand.extra.values()),
        submitted=submitted,
        graded_at=_moment(record.graded_at) if record else "",
        sandbox=record.sandbox if record else "",
        tests_revision=record.fingerprint.tests[:12] if record else "",
        all_outside=bool(judged) and all(cell.evidence in OUTSIDE for cell in judged),
        notes=tuple(map(without_controls, verdicts.notes)) if verdicts else (),
    )


def verdicts_of(record: SubmissionRecord | None, notebook: str) -> NotebookVerdicts | None:
    """What a record says of one notebook."""
    return next((each for each in record.notebooks if each.notebook == notebook), None) if record else None


def results_of(
    cells: Iterable[tuple[Cell, list[Any]]],
    notebook: str,
    exercises: Exercises,
    points: dict[str, float | None],
    hand: ByHand,
    record: SubmissionRecord | None,
) -> Iterator[CellResult]:
    """What is said of the graded cells of a notebook, in its order; each comes with its outputs. `points` are the
    gradebook's, by grade id."""
    verdicts = verdicts_of(record, notebook)
    by_id = {verdict.grade_id: verdict for verdict in verdicts.cells} if verdicts else {}
    for cell, outputs in cells:
        if not cell.is_graded:
            continue
        name, verdict = cell.grade_id, by_id.get(cell.grade_id)
        by_test = verdict.points if verdict else None
        earned = points.get(name)
        is_changed = (notebook, name) in hand.points and hand.points[notebook, name] != by_test
        result = _result(cell, earned, verdict, is_changed)
        hints = hints_of(cell.source) if cell.is_test else ()
        lost = result in (Result.FAILED, Result.PARTLY)
        yield CellResult(
            grade_id=name,
            kind=cell.kind,
            exercise=exercises.names.get(name, "") or name,
            result=result,
            points=earned,
            max_points=cell.points,
            message=shortened(_message(cell, outputs, verdict), LONGEST_MESSAGE),
            checks=tuple(_checks(verdict.checks, hints)) if verdict else (),
            hints=tuple(hint.text for hint in hints if not hint.check) if lost else (),
            seconds=verdict.visible_seconds if verdict else 0.0,
            memory_mb=verdict.visible_memory_mb if verdict else 0.0,
            extra=hand.extra.get((notebook, name), 0.0),
            solutions=exercises.solutions.get(name, ()),
            has_hidden=cell.is_test and bool(hidden_source(cell.source).strip()),
        )


def _result(cell: Cell, points: float | None, verdict: CellVerdict | None, is_changed: bool) -> Result:
    if points is None:
        is_ours = verdict is not None and verdict.verdict is Verdict.PLATFORM
        return Result.OURS if is_ours else Result.WAITS
    if is_changed or not cell.is_test:
        return Result.BY_HAND
    if points >= cell.points:
        return Result.PASSED
    return Result.PARTLY if points > 0 else Result.FAILED


def _message(cell: Cell, outputs: list[Any], verdict: CellVerdict | None) -> str:
    """What the verdict says to the student. Of what nbgrader's own engine has graded, what an output says."""
    if verdict is not None:
        return "" if verdict.verdict is Verdict.PASSED else verdict.message
    errors = (as_told(output, has_hidden=bool(hidden_source(cell.source))) for output in outputs if cell.is_test)
    return next((error.evalue for error in errors if error.output_type == "error"), "")


def _checks(checks: Iterable[CheckVerdict], hints: tuple[Hint, ...]) -> Iterator[CheckResult]:
    for check in checks:
        own = tuple(hint.text for hint in hints if hint.check == check.name and check.points < check.max_points)
        message = check.message.removeprefix(f"{check.name}: ")
        yield CheckResult(check.name, check.points, check.max_points, shortened(message, LONGEST_MESSAGE), own)


# ---- what was handed in -----------------------------------------------------------------------------


def submitted_of(graded: Path, collected: Path, has_receipts: bool) -> Submitted:
    """What is known of the submission that was graded; `collected` is the folder that lies in `submitted/` now.

    Only the exchange's own receipts count: elsewhere a file of that name may be the student's.
    """
    graded_at, collected_at = submitted_at(graded), submitted_at(collected)
    if graded_at is None:
        return Submitted()
    receipt = _receipt(collected / RECEIPT) if has_receipts and graded_at == collected_at else ""
    has_newer = collected_at is not None and graded_at != collected_at
    return Submitted(_shown(in_utc(graded_at)), receipt, has_newer)


def _receipt(path: Path) -> str:
    """The number that the student has been told, of what the exchange has written there."""
    try:
        return receipt_sha256(json.loads(read_regular_file(path, 1)))
    except (Unreadable, ValueError, LookupError, TypeError, RecursionError):
        return ""


def _moment(text: str) -> str:
    try:
        return _shown(datetime.fromisoformat(text))
    except ValueError:
        return ""


def _shown(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M UTC")
