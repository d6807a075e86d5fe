"""What graders have written into the gradebook of each cell: points by hand, extra credit and comments. Read for a
whole cohort at once, without nbgrader."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field

from sqlalchemy import text

from tito.course.course import Assignment, Course
from tito.course.gradebook_database import connected

OF_CELLS = """
SELECT submitted_assignment.student_id AS student, notebook.name AS notebook, base_cell.name AS cell,
       {columns}
FROM submitted_assignment
JOIN assignment ON assignment.id = submitted_assignment.assignment_id
JOIN submitted_notebook ON submitted_notebook.assignment_id = submitted_assignment.id
JOIN notebook ON notebook.id = submitted_notebook.notebook_id
JOIN base_cell ON base_cell.notebook_id = notebook.id
JOIN {table} ON {table}.cell_id = base_cell.id AND {table}.notebook_id = submitted_notebook.id
WHERE assignment.name = :assignment
"""
POINTS = OF_CELLS.format(columns="grade.manual_score AS manual, grade.extra_credit AS extra", table="grade")
COMMENTS = OF_CELLS.format(columns="comment.auto_comment AS auto, comment.manual_comment AS manual", table="comment")


@dataclass(frozen=True)
class ByHand:
    """Of one student's submission, by notebook and cell."""

    points: dict[tuple[str, str], float] = field(default_factory=dict)  # in the place of what a test has given
    extra: dict[tuple[str, str], float] = field(default_factory=dict)
    comments: dict[tuple[str, str], str] = field(default_factory=dict)


def by_hand(course: Course, assignment: Assignment) -> dict[str, ByHand]:
    """What graders have written of each student's submission of an assignment.

    Raises:
        GradebookUnavailable: the database cannot be read.
    """
    students: dict[str, ByHand] = defaultdict(ByHand)
    with connected(course.db_url) as connection:
        if connection is None:
            return {}
        for student, notebook, cell, manual, extra in connection.execute(text(POINTS), {"assignment": assignment.id}):
            if manual is not None:
                students[student].points[notebook, cell] = float(manual)
            if extra:
                students[student].extra[notebook, cell] = float(extra)
        for student, notebook, cell, auto, manual in connection.execute(text(COMMENTS), {"assignment": assignment.id}):
            if comment := auto if manual is None else manual:
                students[student].comments[notebook, cell] = str(comment)
    return dict(students)
