"""The policy of a course, by its course file and gradebook: whoever releases reads it, and the exchange keeps it."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path

from tito.course.course import Course, find_course
from tito.course.course_policy import course_policy
from tito.errors import NotACourse
from tito.exchange.protocol.records import Policy, PrecheckPolicy
from tito.policy.time_policy import TimePolicy


def policy_in(folder: Path, course_id: str) -> Policy | None:
    """What the course in this folder goes by, or None where there is none, or it is another one.

    Raises:
        BadSource: the policy names a student whom nobody knows.
        GradebookUnavailable: the gradebook cannot be read.
    """
    try:
        course = find_course(folder)
    except NotACourse:
        return None
    return policy_of(course) if course.id == course_id else None


def policy_of(course: Course) -> Policy:
    """What a course goes by, as the exchange keeps it; raises what `policy_in` does."""
    limits = course.precheck.within(course.limits)
    precheck = PrecheckPolicy(course.precheck.per_hour, course.sandbox.packages, limits, course.files)
    policy = course_policy(course)
    return Policy(
        **{each.name: getattr(policy, each.name) for each in fields(TimePolicy)},
        submission_mb=course.limits.submission_mb,
        precheck=precheck if precheck.per_hour else None,
    )
