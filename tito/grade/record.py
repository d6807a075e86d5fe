"""Writes graded submissions: gradebook in one transaction, autograded notebooks, and the verdict records.

A record is written last, and an older one is emptied before anything of its submission is replaced: a run that was
stopped in between grades that submission again, to the same result. So it is with a record that a crash left half
written. An empty one is begun before the gradebook is written to: so points that are another grader's can be told.
"""

from __future__ import annotations

import contextlib
import json
import shutil
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import nbformat

from tito.course.cells import grade_id_of, kind_of
from tito.course.course import Course
from tito.course.settings import MOST_SUBMITTED_MB
from tito.course.submission_files import TIMESTAMP, Unreadable, read_below, read_regular_file, submitted_at
from tito.errors import BadSource
from tito.grade.graded_notebook import as_json
from tito.grade.submission import Graded
from tito.gradebook.history import append, entry_of
from tito.gradebook.late_plugin import LatePlugin
from tito.gradebook.penalties import store_penalties
from tito.gradebook.records import begin_record, empty_record, read_record, write_record
from tito.gradebook.store import transaction
from tito.models import (
    CellKind,
    CellVerdict,
    NotebookVerdicts,
    SubmissionRecord,
)

NO_RESPONSE = "No response."
SECRET = "submission_secret.txt"  # by which nbgrader's filesystem exchange finds the student of a page
LONGEST_SECRET = 1024  # bytes; nbgrader's has 128


class Recorder:
    """Stores graded submissions of a run where nbgrader, formgrader and `tito` look for them."""

    def __init__(self, course: Course, assignment: str, opened: Any) -> None:
        """`opened` is the course's gradebook, which knows the assignment.

        Raises:
            BadSource: the course's late plugin cannot be made.
        """
        self.course = course
        self.assignment = assignment
        self.opened = opened
        notebooks = opened.find_assignment(assignment).notebooks
        self.checksums = {
            (notebook.name, cell.name): cell.checksum for notebook in notebooks for cell in notebook.source_cells
        }
        self.names = {
            cell.id: cell.name for notebook in notebooks for cell in (*notebook.grade_cells, *notebook.solution_cells)
        }
        self.late = LatePlugin(course)
        self.names |= {cell.id: cell.name for notebook in notebooks for cell in notebook.task_cells}

    def record(
        self,
        batch: Sequence[tuple[Graded, Path]],
        notebooks: bool = True,
        others: Sequence[str] = (),
        why: str = "",
    ) -> None:
        """Store graded submissions, each with the folder that it was handed in as.

        The graded notebooks are left to nbgrader, where it writes them, with `notebooks=False`. `others` are notebooks
        of the assignment that were not graded this time: what is stored of them stays. `why` is for the history.

        Raises:
            GradebookUnavailable: nothing was written.
            BadSource: the gradebook has other graded cells than the source: nothing was written.
        """
        before = {graded.record.student: self._record_before(graded.record.student) for graded, _ in batch}
        for graded, _ in batch:
            begin_record(self.course, graded.record)
        with transaction(self.opened, flushing=False):
            stored = self._stored([graded.record.student for graded, _ in batch])
            for graded, submitted in batch:
                student = graded.record.student
                self._write_grades(graded, submitted, stored[student], Answers(self.course, before[student], graded))
            store_penalties(self.course, self.late, self.opened, self.assignment, stored)
        records = [_with_others(graded.record, before[graded.record.student], others) for graded, _ in batch]
        entries = (entry_of(before[record.student], record, why) for record in records)
        append(self.course, self.assignment, filter(None, entries))
        for record, (graded, submitted) in zip(records, batch, strict=True):
            empty_record(self.course, record)
            if notebooks:
                _write_notebooks(self.course, graded, submitted, others)
            write_record(self.course, record)

    def put_back(self, record: SubmissionRecord, why: str) -> None:
        """Have the gradebook and the history say again what an earlier record of the same submission says; the record
        and the graded notebooks are the caller's to put back.

        Raises:
            GradebookUnavailable: nothing was written.
        """
        before = self._record_before(record.student)
        cells = {(book.notebook, cell.grade_id): cell for book in record.notebooks for cell in book.cells}
        with transaction(self.opened, flushing=False):
            stored = self._stored([record.student])
            for notebook in stored[record.student].notebooks:
                for grade in notebook.grades:
                    if cell := cells.get((notebook.notebook.name, self.names[grade.cell_id])):
                        _write_grade(grade, cell, unchanged=True)
            store_penalties(self.course, self.late, self.opened, self.assignment, stored)
        append(self.course, self.assignment, filter(None, [entry_of(before, record, why)]))

    def update_times(self, folders: Mapping[str, Path]) -> None:
        """Have the gradebook say when what is collected was handed in, of students whose work is as it was graded:
        whoever hands the same in again has handed it in later, and the penalty is that of the later time.

        Raises:
            GradebookUnavailable: nothing was written.
        """
        from nbgrader.api import Assignment, SubmittedAssignment

        with transaction(self.opened):
            query = self.opened.db.query(SubmittedAssignment).join(Assignment)
            rows = query.filter(Assignment.name == self.assignment, SubmittedAssignment.student_id.in_(folders))
            moved = {}
            for row in rows:
                if row.timestamp != (at := submitted_at(folders[row.student_id])):
                    moved[row.student_id] = row.timestamp = at
            if moved:
                store_penalties(self.course, self.late, self.opened, self.assignment, moved)

    def _record_before(self, student: str) -> SubmissionRecord | None:
        return read_record(self.course, self.assignment, student)

    def _stored(self, students: list[str]) -> dict[str, Any]:
        """The gradebook's submissions of these students, made where there are none; a few queries ask for all."""
        from nbgrader.api import Assignment, Student, SubmittedAssignment, SubmittedNotebook
        from sqlalchemy.orm import selectinload

        query = self.opened.db.query
        known = {student.id for student in query(Student).filter(Student.id.in_(students))}
        for student in students:
            if student not in known:
                self.opened.add_student(student)
        self.opened.db.flush()
        notebooks = selectinload(SubmittedAssignment.notebooks)
        parts = (
            notebooks.selectinload(getattr(SubmittedNotebook, relation))
            for relation in ("notebook", "grades", "comments")
        )
        submissions = query(SubmittedAssignment).join(Assignment).join(Student).options(*parts)
        rows = submissions.filter(Assignment.name == self.assignment, Student.id.in_(students))
        stored = {row.student_id: row for row in rows}
        for student in students:
            if student not in stored:
                stored[student] = self.opened.add_submission(self.assignment, student)
        return stored

    def _write_grades(self, graded: Graded, submitted: Path, submission: Any, answers: Answers) -> None:
        record = graded.record
        submission.timestamp = submitted_at(submitted)
        stored = {notebook.notebook.name: notebook for notebook in submission.notebooks}
        for notebook in record.notebooks:
            try:
                text = graded.texts[notebook.notebook]
                is_missing = notebook.notebook in graded.missing
                graded.texts[notebook.notebook] = self._write_notebook(
                    stored[notebook.notebook], notebook, text, answers, is_missing=is_missing
                )
            except KeyError as error:
                raise BadSource(
                    f"{record.assignment}: the source has a cell {error} that the gradebook does not know.",
                    hint=f"Run 'tito release {record.assignment}' again.",
                ) from error

    def _write_notebook(
        self, stored: Any, verdicts: NotebookVerdicts, text: str, answers: Answers, *, is_missing: bool
    ) -> str:
        """Scores and comments of one notebook; it comes back with the checksums of the released sources in it. What was
        not handed in answers nothing."""
        notebook = json.loads(text)
        grades = {self.names[grade.cell_id]: grade for grade in stored.grades}
        comments = {self.names[comment.cell_id]: comment for comment in stored.comments}
        for cell in verdicts.cells:
            grade = grades[cell.grade_id]
            by_hand = grade.manual_score is not None
            _write_grade(grade, cell, unchanged=by_hand and answers.are_the_same(verdicts.notebook, cell.grade_id))
        for cell in notebook["cells"]:
            kind, grade_id = kind_of(cell), grade_id_of(cell)
            if kind is not CellKind.PLAIN:
                cell["metadata"]["nbgrader"]["checksum"] = self.checksums[verdicts.notebook, grade_id]
            if kind in (CellKind.SOLUTION, CellKind.ANSWER) and not verdicts.unread:  # what was answered is not known
                if is_missing:
                    comments[grade_id].auto_comment = NO_RESPONSE
                else:
                    _write_comment(nbformat.from_dict(cell), comments[grade_id], grades.get(grade_id))
        return as_json(notebook)


class Answers:
    """What a submission answers, beside what the one that was graded before it did."""

    def __init__(self, course: Course, before: SubmissionRecord | None, graded: Graded) -> None:
        self._course = course
        self._before = before
        self._graded = graded

    def are_the_same(self, notebook: str, grade_id: str) -> bool:
        """Whether a score that a person gave to a cell was given to what is there now: to the same submission, or to
        the same words where the cell is the answer."""
        if self._before is None:
            return False
        if self._before.fingerprint.submission == self._graded.record.fingerprint.submission:
            return True
        path = self._course.step("autograded", self._before.student, self._before.assignment, f"{notebook}.ipynb")
        try:
            earlier = path.read_text(encoding="utf-8")
        except (OSError, ValueError):
            return False
        answer = _answer(earlier, grade_id)
        return answer is not None and answer == _answer(self._graded.texts[notebook], grade_id)


def _answer(text: str, grade_id: str) -> str | None:
    """What was written in an answer's cell of a graded notebook; None where there is no such cell."""
    answers = (cell for cell in json.loads(text)["cells"] if grade_id_of(cell) == grade_id)
    return next(("".join(cell["source"]) for cell in answers if kind_of(cell) is CellKind.ANSWER), None)


def _with_others(record: SubmissionRecord, before: SubmissionRecord | None, others: Sequence[str]) -> SubmissionRecord:
    """A record with the verdicts on `others` that the one before had."""
    stay = (verdicts for verdicts in before.notebooks if verdicts.notebook in others) if before else ()
    return replace(record, notebooks=(*record.notebooks, *stay))


def _write_grade(grade: Any, cell: CellVerdict, *, unchanged: bool) -> None:
    """Manual scores stay, and are final where what they were given to is `unchanged`; else they are to be looked at
    again, as nbgrader has it."""
    grade.auto_score = cell.points
    if grade.manual_score is None or not unchanged:
        grade.needs_manual_grade = cell.points is None or grade.manual_score is not None


def _write_comment(cell: Any, comment: Any, grade: Any) -> None:
    """ "No response." on an answer that was left as released, which then scores zero, as nbgrader has it."""
    from nbgrader.utils import compute_checksum, determine_grade

    unanswered = compute_checksum(cell) == cell.metadata.nbgrader["checksum"]
    comment.auto_comment = NO_RESPONSE if unanswered else None
    if kind_of(cell) is CellKind.ANSWER:
        grade.auto_score, _ = determine_grade(cell)
        if grade.manual_score is None:
            grade.needs_manual_grade = grade.auto_score is None


def _secret_of(submitted: Path) -> str:
    """What nbgrader's exchange told this submission and its student alone, "" where it is not as nbgrader writes it."""
    try:
        secret = read_regular_file(submitted / SECRET, 1).decode("ascii").strip()
    except (Unreadable, ValueError):
        return ""
    return secret if len(secret) <= LONGEST_SECRET else ""


def _copy_files(paths: Iterable[str], submitted: Path, target: Path) -> None:
    """What was handed in beside the notebooks and used, as nbgrader has it; what is not there any more is left out."""
    for path in paths:
        with contextlib.suppress(Unreadable):
            content = read_below(submitted, Path(path), MOST_SUBMITTED_MB)
            (target / path).parent.mkdir(parents=True, exist_ok=True)
            (target / path).write_bytes(content)


def _write_notebooks(course: Course, graded: Graded, submitted: Path, others: Sequence[str]) -> None:
    """Replace autograded/<student>/<assignment>/ as a whole, but for the notebooks `others`.

    As nbgrader has it, there is none of what was not handed in: formgrader tells by that what is missing.
    """
    record = graded.record
    target = course.step("autograded", record.student, record.assignment)
    fresh, old = (target.with_name(f".{name}-{record.assignment}") for name in ("new", "old"))
    for left in (fresh, old):  # by a run that was stopped
        shutil.rmtree(left, ignore_errors=True)
    fresh.mkdir(parents=True)
    for name in others:
        if (target / f"{name}.ipynb").is_file():
            shutil.copyfile(target / f"{name}.ipynb", fresh / f"{name}.ipynb")
    for name, text in graded.texts.items():
        if name not in graded.missing:
            (fresh / f"{name}.ipynb").write_text(text, encoding="utf-8")
    _copy_files(graded.record.files, submitted, fresh)
    if submitted_at(submitted) is not None:  # nbgrader reads it again, and gives up on what is no time
        shutil.copyfile(submitted / TIMESTAMP, fresh / TIMESTAMP)
    if secret := _secret_of(submitted):
        (fresh / SECRET).write_text(secret, encoding="ascii")
    if target.exists():
        target.rename(old)
    if any(fresh.glob("*.ipynb")):
        fresh.rename(target)
    for left in (fresh, old):
        shutil.rmtree(left, ignore_errors=True)
    with contextlib.suppress(OSError):
        target.parent.rmdir()  # of a student of whom nothing is there
