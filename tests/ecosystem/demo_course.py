"""What the tests of this folder look at."""

from __future__ import annotations

from dataclasses import dataclass

from tito.course.course import Assignment, Course


@dataclass(frozen=True)
class Demo:
    """A demo course after `tito demo`, and what the command printed."""

    course: Course
    assignment: Assignment
    printed: str
