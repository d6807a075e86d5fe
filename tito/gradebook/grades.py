"""Grades of an assignment, read from the gradebook, and as CSV: points per cell, raw and final score, status."""

from __future__ import annotations

import csv
import io
from datetime import UTC
from pathlib import Path
from typing import Any

from tito.course.cells import grade_id_of
from tito.course.course import Assignment, Course
from tito.course.script import source_notebooks
from tito.course.settings import LatePolicy
from tito.gradebook.late import penalty
from tito.gradebook.late_plugin import stored_penalty
from tito.gradebook.records import read_record
from tito.gradebook.store import gradebook, require_released
from tito.models import GradeRow, Status

FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


def grades(course: Course, assignment: Assignment) -> list[GradeRow]:
    """One row for every student whom the gradebook knows, and everyone who has submitted.

    Raises:
        UnknownAssignment: it was never released.
        GradebookUnavailable: the database cannot be read.
    """
    require_released(course, assignment.id)
    handed_in = course.submissions(assignment.id)
    order = _order(course, assignment)
    with gradebook(course) as opened:
        students = {student.id: student for student in opened.students}
        submissions = {entry.student_id: entry for entry in opened.assignment_submissions(assignment.id)}
        released = opened.find_assignment(assignment.id)
        names = {cell.name for notebook in released.notebooks for cell in (*notebook.grade_cells, *notebook.task_cells)}
        cells = dict.fromkeys(sorted(names, key=lambda name: (order.get(name, len(order)), name)))
        return [
            _row(
                course,
                assignment,
                student_id,
                student=students.get(student_id),
                submission=submissions.get(student_id),
                handed_in=student_id in handed_in,
                cells=cells,
                max_score=released.max_score,
            )
            for student_id in sorted({*students, *handed_in})
        ]


def _order(course: Course, assignment: Assignment) -> dict[str, int]:
    """Position of each graded cell in the notebook."""
    cells = [cell for notebook in source_notebooks(course, assignment).values() for cell in notebook.cells]
    return {grade_id_of(cell): at for at, cell in enumerate(cells) if grade_id_of(cell)}


def _row(
    course: Course,
    assignment: Assignment,
    student_id: str,
    *,
    student: Any,
    submission: Any,
    handed_in: bool,
    cells: dict[str, None],
    max_score: float,
) -> GradeRow:
    """The row of one student; `student` and `submission` are the gradebook's, None where it has none."""
    points: dict[str, float | None] = dict(cells)
    fault = manual = False
    forgeable: float | None = None
    if submission is not None:
        record = read_record(course, assignment.id, student_id)
        fault = record is not None and record.platform_fault
        forgeable = record.points_forgeable if record is not None else None
        for notebook in submission.notebooks:
            for grade in notebook.grades:
                points[grade.name] = _points(grade)
                manual = manual or bool(grade.needs_manual_grade)
    status = _status(handed_in, submission is not None, fault, manual)
    raw = sum(earned for earned in points.values() if earned is not None) if submission is not None else None
    final = status is Status.GRADED and raw is not None
    seconds_late = _seconds_late(course, assignment, student_id, submission) if final else 0.0
    late = penalty(course.late, raw or 0.0, max_score, seconds_late) if final else None
    if late is not None and course.late == LatePolicy():
        late = min(raw or 0.0, stored_penalty(submission))
    return GradeRow(
        student_id=student_id,
        last_name=(student.last_name if student else None) or "",
        first_name=(student.first_name if student else None) or "",
        email=(student.email if student else None) or "",
        cells=points,
        raw_score=raw,
        late_penalty=late,
        score=raw - late if final and raw is not None and late is not None else None,
        max_score=max_score,
        status=status,
        points_forgeable=forgeable,
    )


def _seconds_late(course: Course, assignment: Assignment, student: str, submission: Any) -> float:
    """After the student's extension in the course file, else as nbgrader counts it."""
    extended = course.extensions.get(assignment.id, {}).get(student)
    if extended is None or submission.timestamp is None:
        return float(submission.total_seconds_late)
    return max(0.0, float((submission.timestamp.replace(tzinfo=UTC) - extended).total_seconds()))


def _points(grade: Any) -> float | None:
    """Manual over automatic, with extra credit; None where neither has been given."""
    score = grade.manual_score if grade.manual_score is not None else grade.auto_score
    return None if score is None else float(score) + float(grade.extra_credit or 0)


def _status(handed_in: bool, recorded: bool, fault: bool, manual: bool) -> Status:
    if not recorded:
        return Status.UNGRADED if handed_in else Status.MISSING
    if fault:
        return Status.PLATFORM_FAULT
    return Status.NEEDS_MANUAL_GRADING if manual else Status.GRADED


def to_csv(assignment: Assignment, rows: list[GradeRow]) -> str:
    """RFC 4180: comma, CRLF, quotes where needed; text that a spreadsheet would take for a formula is defused."""
    names = list(rows[0].cells) if rows else []
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\r\n")
    people = ["student_id", "last_name", "first_name", "email"]
    scores = ["raw_score", "late_penalty", "score", "max_score", "points_forgeable"]
    writer.writerow(["assignment", *people, *names, *scores, "status"])
    for row in rows:
        texts = [assignment.id, row.student_id, row.last_name, row.first_name, row.email]
        numbers = [*row.cells.values(), row.raw_score, row.late_penalty, row.score, row.max_score, row.points_forgeable]
        writer.writerow([*map(defused, texts), *map(_number, numbers), row.status.value])
    return out.getvalue()


def defused(text: str) -> str:
    """A text that a spreadsheet shows as it is, by OWASP's rule for CSV injection."""
    return f"'{text}" if text.startswith(FORMULA_STARTS) else text


def _number(value: float | None) -> str:
    return "" if value is None else f"{round(value, 4):.12g}"


def write_csv(course: Course, assignment: Assignment, path: Path | None = None) -> tuple[Path, list[GradeRow]]:
    """Write the grades of an assignment, by default to gradebook/exports/; return the path and the rows."""
    rows = grades(course, assignment)
    target = path or course.gradebook_dir / "exports" / f"{assignment.id}.csv"
    target.parent.mkdir(parents=True, exist_ok=True)
    scratch = target.with_name(f".{target.name}.new")
    scratch.write_text(to_csv(assignment, rows), encoding="utf-8", newline="")
    scratch.replace(target)
    return target, rows
