"""What a gradebook holds, looked up without nbgrader: that takes as long to import as some submissions take to grade,
and makes tables and a course of its own of whatever it opens. Nothing is written here.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

from sqlalchemy.exc import SQLAlchemyError

from tito.errors import GradebookUnavailable

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection

SQLITE = "sqlite:///"
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
    with _connected(db_url) as connection:
        if connection is None or not _has_tables(connection):
            return None
        tables = ("assignment", "student", "submitted_assignment")
        return Contents(*(_count(connection, table) for table in tables))


def scored(db_url: str, assignment: str) -> dict[str, datetime | None]:
    """Students who have points for an assignment in the gradebook, and when what these are for was handed in.

    Raises:
        GradebookUnavailable: it cannot be read.
    """
    from sqlalchemy import DateTime, String, column, text

    with _connected(db_url) as connection:
        if connection is None or not _has_tables(connection):
            return {}
        query = text(SCORED).columns(column("student", String), column("handed_in", DateTime))
        return {row.student: row.handed_in for row in connection.execute(query, {"assignment": assignment})}


@contextmanager
def _connected(db_url: str) -> Iterator[Connection | None]:
    """A connection; None where it is SQLite's and there is no file, of which none is made."""
    from sqlalchemy import create_engine

    if db_url.startswith(SQLITE):
        path = Path(db_url.removeprefix(SQLITE))
        if not path.is_file():
            yield None
            return
        db_url = f"{SQLITE}file:{quote(str(path))}?mode=rw&uri=true"
    try:
        engine = create_engine(db_url)
        try:
            with engine.connect() as connection:
                yield connection
        finally:
            engine.dispose()
    except (SQLAlchemyError, ImportError) as error:  # a driver may be missing
        where = db_url if db_url.startswith(SQLITE) else "the database server"
        reason = str(getattr(error, "orig", None) or error).splitlines()[0].rstrip(".")
        raise GradebookUnavailable(
            f"The gradebook at {where} cannot be read: {reason}.", hint="Is it one of nbgrader's, and may you read it?"
        ) from error


def _has_tables(connection: Connection) -> bool:
    from sqlalchemy import inspect

    return "submitted_assignment" in inspect(connection).get_table_names()


def _count(connection: Connection, table: str) -> int:
    from sqlalchemy import text

    return int(connection.execute(text(f"SELECT count(*) FROM {table}")).scalar_one())
