"""Grades of an assignment: points, penalty and status of each student, from the gradebook and the verdict records.

The database is read by a few queries for a whole cohort, without nbgrader: its API asks for each student anew.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from tito.course.course import Assignment, Course
from tito.course.settings import LatePolicy
from tito.gradebook.contents import connected
from tito.gradebook.late import penalty
from tito.gradebook.records import RecordMarks, read_marks
from tito.gradebook.store import not_released
from tito.models import GradeRow, ReleasedCell, Status

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection

ASSIGNMENT = "SELECT id, duedate FROM assignment WHERE name = :name"
RELEASED = "SELECT name FROM assignment"
CELLS = """
SELECT notebook.name AS notebook, base_cell.name AS name,
       coalesce(grade_cells.max_score, task_cells.max_score) AS max_points
FROM notebook
JOIN base_cell ON base_cell.notebook_id = notebook.id
LEFT JOIN grade_cells ON grade_cells.id = base_cell.id
LEFT JOIN task_cells ON task_cells.id = base_cell.id
WHERE notebook.assignment_id = :assignment AND coalesce(grade_cells.max_score, task_cells.max_score) IS NOT NULL
"""
SUBMISSIONS = """
SELECT submitted_assignment.student_id AS student, submitted_assignment.timestamp AS timestamp,
       submitted_assignment.extension AS extension, sum(submitted_notebook.late_submission_penalty) AS penalty
FROM submitted_assignment
LEFT JOIN submitted_notebook ON submitted_notebook.assignment_id = submitted_assignment.id
WHERE submitted_assignment.assignment_id = :assignment
GROUP BY submitted_assignment.id, submitted_assignment.student_id, submitted_assignment.timestamp,
         submitted_assignment.extension
"""
POINTS = """
SELECT submitted_assignment.student_id AS student, notebook.name AS notebook, base_cell.name AS cell,
       grade.auto_score AS auto, grade.manual_score AS manual, grade.extra_credit AS extra,
       grade.needs_manual_grade AS waits
FROM notebook
JOIN submitted_notebook ON submitted_notebook.notebook_id = notebook.id
JOIN submitted_assignment ON submitted_assignment.id = submitted_notebook.assignment_id
JOIN base_cell ON base_cell.notebook_id = notebook.id
JOIN grade ON grade.cell_id = base_cell.id AND grade.notebook_id = submitted_notebook.id
WHERE notebook.assignment_id = :assignment
"""
STUDENTS = "SELECT id, first_name, last_name, email, lms_user_id FROM student"


@dataclass(frozen=True)
class AssignmentGrades:
    """An assignment's grades: its graded cells in their order, a row for each student, and what their records say."""

    assignment: str
    cells: tuple[ReleasedCell, ...]
    rows: list[GradeRow]
    marks: dict[str, RecordMarks]


@dataclass
class Submission:
    """What the gradebook holds of one student's submission."""

    timestamp: datetime | None
    duedate: datetime | None
    penalty: float  # what a late plug-in of nbgrader's has taken off
    points: dict[str, float | None]
    waits: bool = False  # for somebody who grades by hand

    @property
    def total_seconds_late(self) -> float:
        """As nbgrader counts it."""
        if self.timestamp is None or self.duedate is None:
            return 0.0
        return max(0.0, (self.timestamp - self.duedate).total_seconds())


def grades(course: Course, assignment: Assignment) -> list[GradeRow]:
    """One row for every student whom the gradebook knows, and everyone who has submitted.

    Raises:
        UnknownAssignment: it was never released.
        GradebookUnavailable: the database cannot be read.
    """
    return read_grades(course, assignment).rows


def read_grades(course: Course, assignment: Assignment) -> AssignmentGrades:
    """The same rows, with the cells that they have points for and the records that were read for them; raises what
    `grades` does."""
    handed_in = course.submissions(assignment.id)
    with connected(course.db_url) as connection:
        released = _query(connection, ASSIGNMENT, name=assignment.id) if connection is not None else []
        if connection is None or not released:
            raise not_released(course, assignment.id)
        students = {student.id: student for student in _query(connection, STUDENTS)}
        cells = _released_cells(course, assignment, _query(connection, CELLS, assignment=released[0].id))
        submissions = _submissions(connection, released[0], cells)
    marks = {student: read_marks(course, assignment.id, student) for student in submissions}
    max_score = sum(cell.max_points for cell in cells)
    rows = [
        _row(
            course,
            assignment,
            student_id,
            student=students.get(student_id),
            submission=submissions.get(student_id),
            handed_in=student_id in handed_in,
            marks=marks.get(student_id),
            points=dict.fromkeys(cell.label for cell in cells),
            max_score=max_score,
        )
        for student_id in sorted({*students, *handed_in})
    ]
    readable = {student: record for student, record in marks.items() if record is not None}
    return AssignmentGrades(assignment.id, cells, rows, readable)


def released_assignments(course: Course) -> list[Assignment]:
    """The assignments of the course that the gradebook knows, by name.

    Raises:
        GradebookUnavailable: the database cannot be read.
    """
    with connected(course.db_url) as connection:
        names = {row.name for row in _query(connection, RELEASED)} if connection is not None else set()
    return sorted((each for each in course.assignments if each.id in names), key=lambda each: each.id)


def _query(connection: Connection, text: str, **values: str) -> list[Any]:
    """Rows of a query, in which moments and spans of time are Python's whatever the database makes of them."""
    from sqlalchemy import DateTime, Interval
    from sqlalchemy import text as statement

    typed = statement(text).columns(duedate=DateTime(), timestamp=DateTime(), extension=Interval())
    return list(connection.execute(typed, values).all())


def _released_cells(course: Course, assignment: Assignment, rows: list[Any]) -> tuple[ReleasedCell, ...]:
    """In the order of the notebooks that students have."""
    order = _order(course, assignment)
    rows = sorted(rows, key=lambda row: (row.notebook, order.get((row.notebook, row.name), len(order)), row.name))
    names = [row.name for row in rows]
    return tuple(
        ReleasedCell(
            notebook=row.notebook,
            name=row.name,
            label=row.name if names.count(row.name) == 1 else f"{row.notebook}/{row.name}",
            max_points=float(row.max_points),
        )
        for row in rows
    )


def _order(course: Course, assignment: Assignment) -> dict[tuple[str, str], int]:
    """Position of each cell in the released notebooks, which are read as JSON: to build them takes much longer."""
    positions: dict[tuple[str, str], int] = {}
    for path in sorted(course.step("release", assignment.id).glob("*.ipynb")):
        try:
            cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
            names = [cell["metadata"].get("nbgrader", {}).get("grade_id") for cell in cells]
        except (OSError, ValueError, LookupError, TypeError, AttributeError):
            continue  # a folder that somebody works in; cells then stand by their names
        positions |= {(path.stem, name): at for at, name in enumerate(names) if name}
    return positions


def _submissions(connection: Connection, released: Any, cells: tuple[ReleasedCell, ...]) -> dict[str, Submission]:
    labels = {(cell.notebook, cell.name): cell.label for cell in cells}
    submissions = {}
    for row in _query(connection, SUBMISSIONS, assignment=released.id):
        due = released.duedate
        duedate = due + (row.extension or timedelta()) if due is not None else None
        submissions[row.student] = Submission(row.timestamp, duedate, float(row.penalty or 0), {})
    for student, notebook, cell, auto, manual, extra, waits in _query(connection, POINTS, assignment=released.id):
        submission, label = submissions.get(student), labels.get((notebook, cell))
        if submission is not None and label is not None:
            submission.points[label] = _points(auto, manual, extra)
            submission.waits = submission.waits or bool(waits)
    return submissions


def _row(
    course: Course,
    assignment: Assignment,
    student_id: str,
    *,
    student: Any,
    submission: Submission | None,
    handed_in: bool,
    marks: RecordMarks | None,
    points: dict[str, float | None],
    max_score: float,
) -> GradeRow:
    """The row of one student; `student` and `submission` are the gradebook's, None where it has none."""
    fault = marks is not None and marks.platform_fault
    status = _status(handed_in, submission is not None, fault, submission is not None and submission.waits)
    raw = late = None
    if submission is not None:
        points |= submission.points
        raw = sum(earned for earned in points.values() if earned is not None)
        if status is Status.GRADED:
            late = _penalty(course, assignment, student_id, submission, raw, max_score)
    return GradeRow(
        student_id=student_id,
        last_name=(student.last_name if student else None) or "",
        first_name=(student.first_name if student else None) or "",
        email=(student.email if student else None) or "",
        cells=points,
        raw_score=raw,
        late_penalty=late,
        score=raw - late if raw is not None and late is not None else None,
        max_score=max_score,
        status=status,
        points_forgeable=marks.points_forgeable if marks is not None else None,
        lms_user_id=(student.lms_user_id if student else None) or "",
    )


def _penalty(
    course: Course, assignment: Assignment, student: str, submission: Submission, raw: float, max_score: float
) -> float:
    """By the policy of course.toml; where it has none, what a plug-in has stored."""
    if course.late == LatePolicy():
        return min(raw, submission.penalty)
    return penalty(course.late, raw, max_score, _seconds_late(course, assignment, student, submission))


def _seconds_late(course: Course, assignment: Assignment, student: str, submission: Submission) -> float:
    """After the student's extension in the course file, else as nbgrader counts it."""
    extended = course.extensions.get(assignment.id, {}).get(student)
    if extended is None or submission.timestamp is None:
        return submission.total_seconds_late
    return max(0.0, (submission.timestamp.replace(tzinfo=UTC) - extended).total_seconds())


def _points(auto: float | None, manual: float | None, extra: float | None) -> float | None:
    """Manual over automatic, with extra credit; None where neither has been given."""
    score = auto if manual is None else manual
    return None if score is None else float(score) + float(extra or 0)


def _status(handed_in: bool, recorded: bool, fault: bool, manual: bool) -> Status:
    if not recorded:
        return Status.UNGRADED if handed_in else Status.MISSING
    if fault:
        return Status.PLATFORM_FAULT
    return Status.NEEDS_MANUAL_GRADING if manual else Status.GRADED
