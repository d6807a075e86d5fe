"""A gradebook, opened to be read without nbgrader: that takes as long to import as some submissions take to grade, and
makes tables and a course of its own of whatever it opens. Nothing is written here.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

from tito.course.settings import SQLITE
from tito.errors import GradebookUnavailable

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection


@contextmanager
def connected(db_url: str) -> Iterator[Connection | None]:
    """A connection to read through; None where no gradebook has been made yet, and none is.

    Raises:
        GradebookUnavailable: it cannot be opened or read.
    """
    from sqlalchemy import create_engine
    from sqlalchemy.exc import SQLAlchemyError

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
