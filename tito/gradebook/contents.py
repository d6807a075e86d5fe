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


@contextmanager
def connected(db_url: str) -> Iterator[Connection | None]:
    """A connection to read through; None where no gradebook has been made yet, and none is.

    Raises:
        GradebookUnavailable: it cannot be opened or read.
    """
    from sqlalchemy import create_engine

    url = db_url
    if db_url.startswith(SQLITE):
        path = Path(db_url.removeprefix(SQLITE))
        if not path.exists():
            yield None
            return
        url = f"{SQLITE}file:{quote(str(path))}?mode=rw&uri=true"
    try:
        engine = create_engine(url)
        try:
            with engine.connect() as connection:
                yield connection if _has_tables(connection) else None
        finally:
            engine.dispose()
    except (SQLAlchemyError, ImportError) as error:  # a driver may be missing
        raise unavailable(db_url, error) from error


def unavailable(db_url: str, error: Exception) -> GradebookUnavailable:
    """What a database's own error tells a person."""
    # The URL of a database server may hold a password: only SQLite's, a path, is shown.
    where = db_url.removeprefix(SQLITE) if db_url.startswith(SQLITE) else "the database server"
    reason = str(getattr(error, "orig", None) or error).splitlines()[0].rstrip(".")
    hint = "Check that it exists, that you may write to it and its folder, and that the disk is not full."
    if "no such column" in reason:
        hint = "It is one of an older nbgrader: 'nbgrader db upgrade' brings it up to date, and keeps a copy."
    return GradebookUnavailable(f"The gradebook at {where} cannot be used: {reason}.", hint=hint)


def _has_tables(connection: Connection) -> bool:
    from sqlalchemy import inspect

    return "submitted_assignment" in inspect(connection).get_table_names()


def _count(connection: Connection, table: str) -> int:
    from sqlalchemy import text

    return int(connection.execute(text(f"SELECT count(*) FROM {table}")).scalar_one())
