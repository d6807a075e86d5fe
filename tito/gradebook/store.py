"""nbgrader's gradebook, opened through nbgrader's API: the one seam at which database errors become ours."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from typing import Any

from sqlalchemy.exc import SAWarning, SQLAlchemyError

from tito.course.course import Course
from tito.course.gradebook_database import unavailable
from tito.course.nbgrader_course import is_nbgraders
from tito.errors import TitoError, UnknownAssignment
from tito.gradebook.folder import prepare


@contextmanager
def gradebook(course: Course) -> Iterator[Any]:
    """The course's gradebook, for one transaction: committed at the end, or not at all.

    Raises:
        GradebookUnavailable: the database cannot be opened, read or written.
    """
    with open_gradebook(course) as opened, transaction(opened):
        yield opened


@contextmanager
def open_gradebook(course: Course) -> Iterator[Any]:
    """The course's gradebook, for several transactions.

    Raises:
        GradebookUnavailable: the database cannot be opened, read or written.
    """
    from nbgrader import api

    _prepare(course)
    api.get_alembic_version = _newest_revision  # a process of its own, and needs `alembic` on the PATH
    with warnings.catch_warnings():
        # SQLAlchemy 2.1 warns about nbgrader's autoflushes; they are harmless.
        warnings.simplefilter("ignore", SAWarning)
        try:
            with api.Gradebook(course.db_url, course.id) as opened:
                yield opened
        except TitoError:
            raise
        except (SQLAlchemyError, PermissionError) as error:
            raise unavailable(course.db_url, error) from error


@contextmanager
def transaction(opened: Any, *, flushing: bool = True) -> Iterator[None]:
    """What is done inside is committed as one, or not at all. nbgrader commits after each call; here these flush.

    Without `flushing`, nothing is written before the end: many rows go together then, but what is new is found by no
    query before.
    """
    commit, opened.db.commit = opened.db.commit, opened.db.flush if flushing else lambda: None
    try:
        with nullcontext() if flushing else opened.db.no_autoflush:
            yield
        opened.db.flush()
        commit()
    except BaseException:
        opened.db.rollback()
        raise
    finally:
        opened.db.commit = commit


def require_released(course: Course, assignment: str) -> None:
    """Raise unless the gradebook knows the assignment.

    Raises:
        UnknownAssignment: it has not been released.
    """
    from nbgrader.api import MissingEntry

    with gradebook(course) as opened:
        try:
            opened.find_assignment(assignment)
        except MissingEntry as error:
            raise not_released(course, assignment) from error


def not_released(course: Course, assignment: str) -> UnknownAssignment:
    """The error that says so, and how to release it."""
    theirs = f" or 'nbgrader generate_assignment {assignment}'" if is_nbgraders(course.root) else ""
    return UnknownAssignment(
        f"The gradebook does not know {assignment}: it has not been released.",
        hint=f"Run 'tito release {assignment}'{theirs} first.",
    )


def _newest_revision() -> str:
    """Of nbgrader's tables, which a new database begins with."""
    from alembic.script import ScriptDirectory
    from nbgrader.dbutil import ALEMBIC_DIR

    return str(ScriptDirectory(ALEMBIC_DIR).get_current_head())


def _prepare(course: Course) -> None:
    try:
        prepare(course)
    except OSError as error:
        raise unavailable(course.db_url, error) from error
