"""Formgrader's *Edit* of a due date, and the points that it has somebody give, in a course of ours.

Where nbgrader's due date is the course's policy, an edit of it counts at once, for the exchange and for the penalties
that are stored. Where course.toml says when work is due, the date stays as it is there, and the answer says so in a
header, which our page shows. Points that are given by hand change what is lost by lateness, and its stored penalty with
it.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tito.bridge.policy_actions import apply_policy
from tito.bridge.release_button import unchanged_handlers
from tito.course.course import Course, find_course
from tito.course.course_policy import says_deadlines
from tito.course.nbgrader_options import with_own_options
from tito.course.settings import SETTINGS_FILE
from tito.errors import TitoError
from tito.gradebook.late_plugin import LatePlugin
from tito.gradebook.penalties import store_penalties
from tito.gradebook.store import transaction

NOTICE = "X-Tito-Notice"
DATE = "duedate_notimezone"
ZONE = "duedate_timezone"


def install(course_folder: Callable[[Path], Path | None]) -> None:
    """Have formgrader's handlers do this in courses of ours, in this process, where it serves formgrader.

    Args:
        course_folder: tells the course of ours that nbgrader works on in a folder, if it does.
    """
    handlers = unchanged_handlers("AssignmentHandler", "put")
    if handlers is None:
        return
    from nbgrader.server_extensions.formgrader.base import check_notebook_dir, check_xsrf
    from tornado import web

    def course_of(handler: Any) -> Course | None:
        root = course_folder(Path(handler.coursedir.root).resolve())
        return with_own_options(find_course(root)) if root is not None else None

    put_assignment, put_grade = handlers.AssignmentHandler.put, handlers.GradeHandler.put

    def edit(handler: Any, assignment: str) -> None:
        course = course_of(handler)
        if course is None:
            put_assignment(handler, assignment)
        else:
            edit_assignment(handler, course, assignment.strip(), lambda: put_assignment(handler, assignment))

    def give_points(handler: Any, grade_id: str) -> None:
        put_grade(handler, grade_id)
        try:
            if (course := course_of(handler)) is not None:
                store_given_points(course, handler.gradebook, handler.gradebook.find_grade_by_id(grade_id))
        except TitoError as error:  # the points are given, and 'tito policy apply' makes up for it
            handler.log.error("What is lost by lateness was not stored anew: %s", error)

    def guarded(put: Callable[..., None]) -> Any:
        return web.authenticated(check_xsrf(check_notebook_dir(put)))

    handlers.AssignmentHandler.put, handlers.GradeHandler.put = guarded(edit), guarded(give_points)
    handlers.AssignmentHandler.put.of_nbgrader = put_assignment  # a mark, by which it is not done twice


def edit_assignment(handler: Any, course: Course, assignment: str, put: Callable[[], None]) -> None:
    """Do what nbgrader's handler does, but for a date that is not nbgrader's to change."""
    sent = handler.get_json_body() or {}
    before = _stored(handler, assignment)
    if not says_deadlines(course):
        put()
        if _stored(handler, assignment) != before:
            _apply(handler, course)
        return
    due = course.policy.deadlines.get(assignment)
    naive = due.astimezone(UTC).replace(tzinfo=None) if due is not None else None
    body = sent | {DATE: naive.isoformat() if naive else None, ZONE: "+0000" if naive else None}
    handler.get_json_body = lambda: body
    put()
    if _wanted(sent) != naive:
        shown = f"{due:%Y-%m-%d %H:%M:%S %Z}" if due is not None else "none"
        _notify(
            handler,
            f"The due date was not changed. It stands in {SETTINGS_FILE}, for exchange and grades alike, as {shown}: "
            "change it there, and run 'tito policy apply'.",
        )


def store_given_points(course: Course, opened: Any, grade: Any) -> None:
    """Make the penalty of a submission anew to which somebody has given points."""
    submission = grade.notebook.assignment
    assignment, student = submission.assignment.name, submission.student_id
    with transaction(opened):
        store_penalties(course, LatePlugin(course), opened, assignment, [student])


def _apply(handler: Any, course: Course) -> None:
    try:
        apply_policy(course)
    except TitoError as error:
        handler.log.error("The policy of %s does not count everywhere yet: %s", course.id, error)
        _notify(handler, f"The due date was changed, and does not count everywhere yet: {error}")


def _stored(handler: Any, assignment: str) -> datetime | None:
    from nbgrader.api import MissingEntry

    try:
        due: datetime | None = handler.gradebook.find_assignment(assignment).duedate
    except MissingEntry:
        return None
    return due


def _wanted(sent: dict[str, Any]) -> datetime | None:
    """The date that was sent, as nbgrader reads it."""
    from nbgrader.utils import parse_utc

    date, zone = sent.get(DATE), sent.get(ZONE)
    try:
        wanted: datetime | None = parse_utc(f"{date} {zone}" if date and zone else date) if date else None
    except (ValueError, OverflowError, TypeError):
        return None
    return wanted


def _notify(handler: Any, text: str) -> None:
    """In a header, as the page that asked expects nbgrader's answer."""
    handler.set_header(NOTICE, " ".join(text.encode("ascii", "replace").decode().split()))
