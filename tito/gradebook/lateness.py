"""How late each student's work is, and what it is worth for that: the course's policy, and when what was handed in.

It is found out whenever grades are read, and stored nowhere but as the penalties that nbgrader wants (`penalties`).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from tito.course.course import Course
from tito.course.course_policy import in_utc, policy_beside, rows_of
from tito.course.submission_files import TIMESTAMP, submitted_at
from tito.policy.time_policy import Standing, TimePolicy

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection

TIMES = """
SELECT assignment.name AS assignment, submitted_assignment.student_id AS student,
       submitted_assignment.timestamp AS timestamp
FROM submitted_assignment
JOIN assignment ON assignment.id = submitted_assignment.assignment_id
WHERE submitted_assignment.timestamp IS NOT NULL
"""
OF_STUDENTS = " AND submitted_assignment.student_id IN :students"


@dataclass(frozen=True)
class Lateness:
    """How it stands with all that was handed in, by the policy of the course."""

    policy: TimePolicy
    standings: dict[str, dict[str, Standing]]  # by student and assignment
    handed_in: dict[str, dict[str, datetime]]

    def standing(self, assignment: str, student: str) -> Standing:
        """Of one student's work on one assignment; full credit where nobody knows when it was handed in."""
        standing = self.standings.get(student, {}).get(assignment)
        if standing is not None:
            return standing
        return Standing(
            self.policy.due(assignment, student), 100.0, False, excused=self.is_excused(assignment, student)
        )

    def is_excused(self, assignment: str, student: str) -> bool:
        return self.policy.is_excused(assignment, student)

    def seconds_late(self, assignment: str, student: str) -> float:
        """After deadline and extension, as nbgrader counts it."""
        at, due = self.handed_in.get(student, {}).get(assignment), self.policy.due(assignment, student)
        if at is None or due is None or self.is_excused(assignment, student):
            return 0.0
        return max(0.0, (at - due).total_seconds())


def read_lateness(course: Course, connection: Connection, students: Collection[str] | None = None) -> Lateness:
    """By the gradebook, which knows when what it has points for was handed in, and by what waits to be graded. Of all
    students, or of these.

    Raises:
        BadSource: the policy names a student whom nobody knows.
    """
    policy = policy_beside(course, connection)
    times: dict[str, dict[str, datetime]] = defaultdict(dict)
    some = {"students": list(students)} if students is not None else {}
    for row in rows_of(connection, TIMES + OF_STUDENTS if some else TIMES, **some):
        times[row.student][row.assignment] = in_utc(row.timestamp)
    if policy.has_tokens:  # one that waits to be graded may have an earlier deadline, and gets its tokens first
        for student in students if students is not None else ("[!.]*",):
            _add_ungraded(course, student, times)
    standings = {student: policy.standings(student, handed_in) for student, handed_in in times.items()}
    return Lateness(policy, standings, dict(times))


def _add_ungraded(course: Course, pattern: str, times: dict[str, dict[str, datetime]]) -> None:
    for folder in sorted(path.parent for path in course.step("submitted").glob(f"{pattern}/*/{TIMESTAMP}")):
        student, assignment = folder.parent.name, folder.name
        if assignment not in times[student] and (at := submitted_at(folder)) is not None:
            times[student][assignment] = in_utc(at)
