"""Submissions and feedback as they lie in the database."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, Row, Select, select

from tito.exchange.protocol.problems import Refused, not_found
from tito.exchange.protocol.records import Entry, Feedback, Manifest, Policy, Submission
from tito.exchange.server import tables
from tito.exchange.server.rows import batches, files_of, latest


def submissions_of(course: str, assignment: str, student: str) -> Select[Any]:
    """Submissions, of one assignment or one student where these are named."""
    query = select(tables.submission).where(tables.submission.c.course == course)
    if assignment:
        query = query.where(tables.submission.c.assignment == assignment)
    return query.where(tables.submission.c.student == student) if student else query


def require_same(submission: Row[Any], manifest: Manifest) -> None:
    if submission.manifest != manifest.sha256:
        raise Refused(
            "This key was used with other files before.",
            status=409,
            where="Idempotency-Key",
            hint="Submit again with a new key.",
        )


def submission_record(
    row: Row[Any], files: dict[str, list[Entry]], policy: Policy, feedback: Feedback | None
) -> Submission:
    return Submission(
        id=row.id,
        course=row.course,
        assignment=row.assignment,
        student=row.student,
        received_at=row.received_at,
        manifest_sha256=row.manifest,
        files=files[row.manifest],
        due_at=policy.due(row.assignment, row.student),
        late=policy.is_late(row.assignment, row.student, row.received_at),
        feedback=feedback,
    )


def newest_feedback(connection: Connection, submissions: dict[int, str]) -> dict[int, Feedback]:
    """The newest feedback of each submission that has any."""
    rows: list[Row[Any]] = []
    for some in batches(sorted(submissions)):
        rows += connection.execute(latest(tables.feedback, "submission").where(tables.feedback.c.submission.in_(some)))
    files = files_of(connection, {row.manifest for row in rows})
    return {row.submission: feedback_record(row, submissions[row.submission], files) for row in rows}


def feedback_record(row: Row[Any], reference: str, files: dict[str, list[Entry]]) -> Feedback:
    return Feedback(reference, row.revision, row.released_at, row.manifest, files[row.manifest])


def no_submission(course: str) -> Refused:
    return not_found("such submission", course, "Its id is in the receipt.")
