"""Grades again what has been graded, and says what that would change before anything is written.

Submissions are graded with today's tests and stored only when that is asked for; what was there before is put aside, so
that a regrade can be undone. Points given by hand stay. Points fall only where that is asked for, too.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import chain
from pathlib import Path

from tito.course.cells import grade_id_of
from tito.course.course import Assignment, Course
from tito.errors import UsageError
from tito.grade.cohort import plan_cohort, ready_to_grade
from tito.grade.graded_notebook import as_json
from tito.grade.record import Recorder
from tito.grade.submission import Graded
from tito.gradebook.by_hand import ByHand, by_hand
from tito.gradebook.history import Change, changes_between
from tito.gradebook.records import empty_record, from_json, put_record, read_record, record_path
from tito.gradebook.store import open_gradebook, require_released
from tito.models import SubmissionRecord
from tito.plan.plan import AssignmentPlan
from tito.sandbox.launch import Backend
from tito.validation import near

RECORD, NOTEBOOKS, WRITTEN, UNDONE = "record.json", "autograded", "written.json", ".undone"


@dataclass(frozen=True)
class Proposed:
    """A change of one graded cell. `by_hand`: the points that a person gave it, which stay. `written`: not where points
    would fall and must not; those of a cell that is gone do."""

    change: Change
    by_hand: float | None
    written: bool

    @property
    def gain(self) -> float:
        """By how many points the student's score changes."""
        if self.by_hand is not None:
            return 0.0
        before, after = ((mark.points if mark else None) or 0.0 for mark in (self.change.before, self.change.after))
        return after - before


@dataclass(frozen=True)
class Proposal:
    """What grading a submission again would change of it, and what is to be stored then."""

    student: str
    cells: tuple[Proposed, ...]
    graded: Graded
    folder: Path

    @property
    def gain(self) -> float:
        """By how many points the student's score would change."""
        return sum(cell.gain for cell in self.cells if cell.written)


@dataclass(frozen=True)
class Regrade:
    """What became of each submission that was graded, and who was not: `newer` have handed in since they were graded,
    `faults` could not be graded."""

    proposals: tuple[Proposal, ...]
    newer: tuple[str, ...]
    faults: dict[str, str]


def propose(
    course: Course,
    assignment: Assignment,
    backend: Backend,
    *,
    workers: int = 2,
    students: Collection[str] = (),
    cells: Collection[str] = (),
    allow_lower: bool = False,
    started: Callable[[int], None] = lambda count: None,
    progress: Callable[[SubmissionRecord], None] = lambda record: None,
) -> Regrade:
    """Grade again what has been graded, or what of it is asked for; nothing is stored.

    Raises:
        UsageError: one of `students` was not graded, or one of `cells` is not graded.
        UnknownAssignment: the assignment was never released.
    """
    graders = by_hand(course, assignment)
    with ready_to_grade(course, assignment, backend) as (plan, start):
        _require_cells(plan, cells)
        before = _graded_before(course, assignment, students)
        tasks = [task for task in plan_cohort(course, plan, backend, (), True).tasks if task.student in before]
        same = [task for task in tasks if task.fingerprint.submission == before[task.student].fingerprint.submission]
        workers_at_it = start(workers) if same else None
        require_released(course, assignment.id)
        started(len(same))
        proposals: list[Proposal] = []
        faults: dict[str, str] = {}
        for task, graded in chain.from_iterable(workers_at_it.grade(same) if workers_at_it else ()):
            progress(graded.record)
            if graded.record.platform_fault:
                faults[task.student] = graded.record.fault or "a verdict could not be given"
                continue
            of_graders = graders.get(task.student, ByHand())
            proposed = _proposed(before[task.student], graded.record, of_graders, cells, allow_lower=allow_lower)
            merged = _merged(course, before[task.student], graded, proposed, whole=not cells)
            proposals.append(Proposal(task.student, proposed, merged, task.folder))
    newer = sorted(task.student for task in tasks if task not in same)
    return Regrade(tuple(sorted(proposals, key=lambda each: each.student)), tuple(newer), faults)


def _require_cells(plan: AssignmentPlan, cells: Collection[str]) -> None:
    graded = [cell.grade_id for notebook in plan.notebooks for cell in notebook.cells if cell.is_graded]
    for name in cells:
        if name not in graded:
            raise UsageError(f"{plan.assignment} has no graded cell '{name}'.", hint=near(name, graded))


def _graded_before(course: Course, assignment: Assignment, students: Collection[str]) -> dict[str, SubmissionRecord]:
    names = students or course.submissions(assignment.id)
    records = {name: read_record(course, assignment.id, name) for name in names}
    for name in students:
        if records[name] is None:
            hint = f"Run 'tito autograde {assignment.id} --student {name}'."
            raise UsageError(f"{name} has not been graded in {assignment.id}.", hint=hint)
    return {name: record for name, record in records.items() if record is not None}


def _proposed(
    before: SubmissionRecord,
    after: SubmissionRecord,
    graders: ByHand,
    cells: Collection[str],
    *,
    allow_lower: bool,
) -> tuple[Proposed, ...]:
    changes = (change for change in changes_between(before, after) if not cells or change.grade_id in cells)
    proposed = (Proposed(change, graders.points.get((change.notebook, change.grade_id)), True) for change in changes)
    return tuple(replace(each, written=allow_lower or each.gain >= 0 or each.change.after is None) for each in proposed)


def _merged(
    course: Course, before: SubmissionRecord, graded: Graded, proposed: tuple[Proposed, ...], *, whole: bool
) -> Graded:
    """What is to be stored: the new verdicts, but for cells whose old ones are to stay, which show what they showed.
    Where not the `whole` submission is regraded, `tito autograde` is to see that it was graded with other tests."""
    written = {(each.change.notebook, each.change.grade_id) for each in proposed if each.written}
    changed = {(change.notebook, change.grade_id) for change in changes_between(before, graded.record) if change.after}
    old = {(book.notebook, cell.grade_id): cell for book in before.notebooks for cell in book.cells}
    staying = {name: old[name] for name in (changed - written) & old.keys()}
    notebooks = tuple(
        replace(book, cells=tuple(staying.get((book.notebook, cell.grade_id), cell) for cell in book.cells))
        for book in graded.record.notebooks
    )
    fingerprint = graded.record.fingerprint if whole else before.fingerprint
    texts = dict(graded.texts)
    for notebook in {name for name, _ in staying}:
        earlier = course.step("autograded", before.student, before.assignment, f"{notebook}.ipynb")
        cells = {grade_id for name, grade_id in staying if name == notebook}
        texts[notebook] = _showing(texts[notebook], earlier, cells)
    record = replace(graded.record, notebooks=notebooks, fingerprint=fingerprint)
    return replace(graded, record=record, texts=texts)


def _showing(text: str, earlier: Path, grade_ids: Collection[str]) -> str:
    """A graded notebook, in which these cells show what they show in an earlier one, if that is there."""
    try:
        cells = {grade_id_of(cell): cell for cell in json.loads(earlier.read_text(encoding="utf-8"))["cells"]}
    except (OSError, ValueError):
        return text
    notebook = json.loads(text)
    for cell in notebook["cells"]:
        if (name := grade_id_of(cell)) in grade_ids and name in cells:
            cell["outputs"] = cells[name].get("outputs", [])
    return as_json(notebook)


# ---- written, and undone ---------------------------------------------------------------------------------


def carry_out(course: Course, assignment: Assignment, proposals: Sequence[Proposal], why: str) -> Path:
    """Store what was proposed, and put aside what was there before; the folder that it lies in. Points that do not fall
    do not in the next `tito autograde` either: all are stored as graded with these tests.

    Raises:
        GradebookUnavailable: no grade was written.
    """
    aside = _aside(course, assignment) / datetime.now(UTC).strftime("%Y%m%dT%H%M%S.%fZ")
    with open_gradebook(course) as opened:
        recorder = Recorder(course, assignment.id, opened)
        for proposal in proposals:
            _put_aside(course, assignment, proposal.student, aside / proposal.student)
        recorder.record([(proposal.graded, proposal.folder) for proposal in proposals], why=why)
    for proposal in proposals:
        shutil.copyfile(record_path(course, assignment.id, proposal.student), aside / proposal.student / WRITTEN)
    return aside


def undo(course: Course, assignment: Assignment) -> tuple[list[str], list[str]]:
    """Have all be as it was before the last regrade; whose grades were put back, and whose were graded since then, and
    are left as they are.

    Raises:
        UsageError: there is no regrade that was not undone.
        GradebookUnavailable: those whose grades had been put back until then have them.
    """
    parts = sorted(path for path in _aside(course, assignment).glob("*Z") if path.is_dir())
    if not parts:
        raise UsageError(f"No regrade of {assignment.id} is there to be undone.", hint="'tito log' lists what was.")
    last = parts[-1]
    back, left = [], []
    with open_gradebook(course) as opened:
        recorder = Recorder(course, assignment.id, opened)
        for student in sorted(path.name for path in last.iterdir()):
            if _was_graded_since(course, assignment, student, last / student):
                left.append(student)
                continue
            text = (last / student / RECORD).read_bytes()
            earlier = from_json(json.loads(text))
            recorder.put_back(earlier, f"the regrade of {last.name} was undone")
            empty_record(course, earlier)
            _replace(last / student / NOTEBOOKS, course.step("autograded", student, assignment.id))
            put_record(record_path(course, assignment.id, student), text)
            back.append(student)
    last.rename(last.with_name(last.name + UNDONE))
    return back, left


def _aside(course: Course, assignment: Assignment) -> Path:
    return course.gradebook_dir / "regrades" / assignment.id


def _put_aside(course: Course, assignment: Assignment, student: str, target: Path) -> None:
    """Copy what is stored of a submission."""
    target.mkdir(parents=True)
    shutil.copyfile(record_path(course, assignment.id, student), target / RECORD)
    notebooks = course.step("autograded", student, assignment.id)
    if notebooks.is_dir():
        shutil.copytree(notebooks, target / NOTEBOOKS)


def _replace(source: Path, target: Path) -> None:
    shutil.rmtree(target, ignore_errors=True)
    if source.is_dir():
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copytree(source, target)


def _was_graded_since(course: Course, assignment: Assignment, student: str, aside: Path) -> bool:
    """Whether the record is another one than the regrade wrote, if it came to write it."""
    written = aside / (WRITTEN if (aside / WRITTEN).exists() else RECORD)
    try:
        return record_path(course, assignment.id, student).read_bytes() != written.read_bytes()
    except FileNotFoundError:
        return True
