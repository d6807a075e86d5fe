"""What a gradebook holds, looked up without nbgrader. Nothing is written here."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from tito.course.gradebook_database import connected

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection

SCORED = """
SELECT submitted_assignment.student_id AS student, max(submitted_assignment.timestamp) AS handed_in
FROM submitted_assignment
JOIN assignment ON assignment.id = submitted_assignment.assignment_id
JOIN submitted_notebook ON submitted_notebook.assignment_id = submitted_assignment.id
JOIN grade ON grade.notebook_id = submitted_notebook.id
WHERE assignment.name = :assignment AND (grade.auto_score IS NOT NULL OR grade.manual_score IS NOT NULL)
GROUP BY submitted_assignment.student_id
"""


@dataclass(frozen=True)
class Contents:
    """How much there is of what in a gradebook."""

    assignments: int = 0
    students: int = 0
    submissions: int = 0

    def __str__(self) -> str:
        counts = (
            (self.assignments, "assignment"),
            (self.students, "student"),
            (self.submissions, "graded submission"),
        )
        return ", ".join(f"{count} {name}{'' if count == 1 else 's'}" for count, name in counts)


def contents(db_url: str) -> Contents | None:
    """What the gradebook holds; None where there is none yet.

    Raises:
        GradebookUnavailable: it cannot be read.
    """
    with connected(db_url) as connection:
        if connection is None:
            return None
        tables = ("assignment", "student", "submitted_assignment")
        return Contents(*(_count(connection, table) for table in tables))


def scored(db_url: str, assignment: str) -> dict[str, datetime | None]:
    """Students who have points for an assignment in the gradebook, and when what these are for was handed in.

    Raises:
        GradebookUnavailable: it cannot be read.
    """
    from sqlalchemy import DateTime, String, column, text

    with connected(db_url) as connection:
        if connection is None:
            return {}
        query = text(SCORED).columns(column("student", String), column("handed_in", DateTime))
        return {row.student: row.handed_in for row in connection.execute(query, {"assignment": assignment})}


def _count(connection: Connection, table: str) -> int:
    from sqlalchemy import text

    return int(connection.execute(text(f"SELECT count(*) FROM {table}")).scalar_one())
