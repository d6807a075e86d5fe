"""What one bundle, and one student, may use."""

from __future__ import annotations

from dataclasses import dataclass

from pydantic import PositiveInt
from sqlalchemy import Connection, select

from tito.exchange.protocol.problems import Refused
from tito.exchange.protocol.records import Manifest
from tito.exchange.server import tables

MB = 1 << 20


@dataclass(frozen=True)
class Quotas:
    """What one bundle, and one student, may use."""

    submission_mb: PositiveInt = 20  # where the course file says nothing
    submission_max_mb: PositiveInt = 200  # whatever the course file says
    release_mb: PositiveInt = 500
    feedback_mb: PositiveInt = 100
    files: PositiveInt = 1000
    submissions: PositiveInt = 500  # of one assignment by one student
    student_mb: PositiveInt = 2000  # of all that one student has handed in to one course, the same files counted once
    precheck_lease_s: PositiveInt = 20  # after which the precheck of a worker that was heard of no more is another's


def require_room(connection: Connection, quotas: Quotas, course: str, student: str, manifest: Manifest | None) -> None:
    """Raise unless all that this student has handed in to a course, with this, is within the quota.

    Raises:
        Refused: it is more.
    """
    submitted = select(tables.submission.c.manifest).where(
        tables.submission.c.course == course, tables.submission.c.student == student
    )
    query = select(tables.manifest.c.sha256, tables.manifest.c.size).where(tables.manifest.c.sha256.in_(submitted))
    sizes = {row.sha256: row.size for row in connection.execute(query)}
    if manifest is not None:
        sizes[manifest.sha256] = manifest.size
    if sum(sizes.values()) > quotas.student_mb * MB:
        raise Refused(
            f"{student} has handed in {quotas.student_mb} MiB to {course}, and no more is taken.",
            status=403,
            where=course,
            hint="Hand in less data, or ask the instructor.",
        )
