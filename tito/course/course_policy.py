"""The policy about time that a course goes by: what course.toml says, and nbgrader's due dates and extensions where it
says nothing of deadlines. It is the only one: exchange, gradebook and exports ask for it here.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from tito.course.course import Course
from tito.course.gradebook_database import connected
from tito.course.settings import SETTINGS_FILE
from tito.course.sound_policy import require_students
from tito.policy.credit import later
from tito.policy.time_policy import TimePolicy

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection

DUE_DATES = "SELECT name, duedate FROM assignment WHERE duedate IS NOT NULL"
EXTENSIONS = """
SELECT assignment.name AS assignment, submitted_assignment.student_id AS student, assignment.duedate AS duedate,
       submitted_assignment.extension AS extension
FROM submitted_assignment
JOIN assignment ON assignment.id = submitted_assignment.assignment_id
WHERE assignment.duedate IS NOT NULL AND submitted_assignment.extension IS NOT NULL
"""
STUDENTS = "SELECT id FROM student"


def course_policy(course: Course) -> TimePolicy:
    """The policy as it stands.

    Raises:
        BadSource: it names a student whom nobody knows.
        GradebookUnavailable: the gradebook cannot be read.
    """
    with connected(course.db_url) as connection:
        return policy_beside(course, connection)


def policy_beside(course: Course, connection: Connection | None) -> TimePolicy:
    """The same, through an open gradebook; None where there is none yet."""
    policy = course.policy
    if connection is None:
        return policy
    if any(policy.students_named()):
        students = {row.id for row in rows_of(connection, STUDENTS)}
        handed_in = {folder.name for folder in course.step("submitted").glob("[!.]*/")} if students else set()
        require_students(course.root / SETTINGS_FILE, policy, students | handed_in)
    return policy if says_deadlines(course) else _with_nbgraders_dates(policy, connection)


def says_deadlines(course: Course) -> bool:
    """Whether course.toml says when work is due, and nbgrader's due dates are but a copy of that."""
    return "deadlines" in course.named


def rows_of(connection: Connection, query: str, **values: Any) -> list[Any]:
    """Rows of a query, in which moments and spans of time are Python's whatever the database makes of them. A list is
    for `IN`."""
    from sqlalchemy import DateTime, Interval, bindparam, text

    lists: list[Any] = [bindparam(name, expanding=True) for name, value in values.items() if isinstance(value, list)]
    typed = text(query).bindparams(*lists).columns(duedate=DateTime(), timestamp=DateTime(), extension=Interval())
    return list(connection.execute(typed, values).all())


def in_utc(naive: datetime) -> datetime:
    """A moment of nbgrader's, which has no zone and means UTC."""
    return naive.replace(tzinfo=UTC)


def _with_nbgraders_dates(policy: TimePolicy, connection: Connection) -> TimePolicy:
    """What course.toml says of a student goes before what nbgrader does."""
    deadlines = {row.name: in_utc(row.duedate) for row in rows_of(connection, DUE_DATES)}
    extensions = {assignment: dict(table) for assignment, table in policy.extensions.items()}
    for row in rows_of(connection, EXTENSIONS):
        extensions.setdefault(row.assignment, {}).setdefault(row.student, later(in_utc(row.duedate), row.extension))
    return replace(policy, deadlines=deadlines, extensions=extensions)
