"""The policy of a course, from its course file: whoever releases reads it, and the exchange keeps it."""

from __future__ import annotations

from pathlib import Path

from tito.errors import NotACourse
from tito.exchange.protocol.records import Policy, PrecheckPolicy


def policy_of_course(folder: Path, course_id: str) -> Policy | None:
    """What the course file of this folder says, or None where there is none, or it is another course's."""
    from tito.course.course import find_course

    try:
        course = find_course(folder)
    except NotACourse:
        return None
    if course.id != course_id:
        return None
    limits = course.precheck.within(course.limits)
    precheck = PrecheckPolicy(course.precheck.per_hour, course.sandbox.packages, limits, course.files)
    return Policy(
        course.deadlines,
        course.cutoffs,
        course.extensions,
        course.limits.submission_mb,
        precheck if precheck.per_hour else None,
    )
