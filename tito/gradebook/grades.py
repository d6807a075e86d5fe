"""Grades of an assignment: points, penalty and status of each student, from the gradebook and the verdict records.

The database is read by a few queries for a whole cohort, without nbgrader: its API asks for each student anew.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tito.course.course import Assignment, Course
from tito.course.course_policy import rows_of
from tito.course.gradebook_database import connected
from tito.gradebook.lateness import Lateness, read_lateness
from tito.gradebook.records import RecordMarks, read_marks
from tito.gradebook.store import not_released
from tito.models import GradeRow, ReleasedCell, Status
from tito.policy.credit import points_lost

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection

ASSIGNMENT = "SELECT id FROM assignment WHERE name = :name"
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
SELECT submitted_assignment.student_id AS student, sum(submitted_notebook.late_submission_penalty) AS penalty
FROM submitted_assignment
LEFT JOIN submitted_notebook ON submitted_notebook.assignment_id = submitted_assignment.id
WHERE submitted_assignment.assignment_id = :assignment
GROUP BY submitted_assignment.id, submitted_assignment.student_id
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

    penalty: float  # what is stored as lost by being late
    points: dict[str, float | None]
    waits: bool = False  # for somebody who grades by hand


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
        released = rows_of(connection, ASSIGNMENT, name=assignment.id) if connection is not None else []
        if connection is None or not released:
            raise not_released(course, assignment.id)
        students = {student.id: student for student in rows_of(connection, STUDENTS)}
        cells = _released_cells(course, assignment, rows_of(connection, CELLS, assignment=released[0].id))
        submissions = _submissions(connection, released[0], cells)
        lateness = read_lateness(course, connection)
    marks = {student: read_marks(course, assignment.id, student) for student in submissions}
    max_score = sum(cell.max_points for cell in cells)
    rows = [
        _row(
            lateness,
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
        names = {row.name for row in rows_of(connection, RELEASED)} if connection is not None else set()
    return sorted((each for each in course.assignments if each.id in names), key=lambda each: each.id)


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
    rows = rows_of(connection, SUBMISSIONS, assignment=released.id)
    submissions = {row.student: Submission(float(row.penalty or 0), {}) for row in rows}
    for student, notebook, cell, auto, manual, extra, waits in rows_of(connection, POINTS, assignment=released.id):
        submission, label = submissions.get(student), labels.get((notebook, cell))
        if submission is not None and label is not None:
            submission.points[label] = _points(auto, manual, extra)
            submission.waits = submission.waits or bool(waits)
    return submissions


def _row(
    lateness: Lateness,
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
    standing = lateness.standing(assignment.id, student_id)
    status = _status(handed_in, submission is not None, fault, submission is not None and submission.waits)
    if standing.excused:
        status = Status.EXCUSED
    raw = late = None
    if submission is not None:
        points |= submission.points
        raw = sum(earned for earned in points.values() if earned is not None)
        if status is Status.GRADED:
            by_policy = lateness.policy.changes_scores
            late = points_lost(standing.credit, raw, max_score) if by_policy else min(raw, submission.penalty)
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
        late_tokens=standing.tokens if submission is not None else None,
        lms_user_id=(student.lms_user_id if student else None) or "",
    )


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
