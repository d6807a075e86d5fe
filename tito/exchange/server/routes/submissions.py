"""What students hand in."""

from __future__ import annotations

import secrets
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Header, Query, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import StreamingResponse

from tito.exchange.protocol.archive import archive
from tito.exchange.protocol.records import Manifest, Submission
from tito.exchange.server.access import AssignmentName, CourseName
from tito.exchange.server.routes import (
    ARCHIVE,
    UPLOAD_PROBLEMS,
    HandingIn,
    Member,
    OwnedSubmission,
    Staff,
    TheLedger,
    problems,
)
from tito.exchange.server.upload import BODY, receive

router = APIRouter(prefix="/courses/{course}", tags=["submissions"])
Key = Annotated[str, Header(alias="Idempotency-Key", pattern=r"^[A-Za-z0-9_-]{16,64}$")]
OfAssignment = Annotated[str, Query(max_length=200, description="Only of this assignment.")]
OfStudent = Annotated[str, Query(max_length=200, description="Only of this student.")]


@router.post(
    "/assignments/{assignment}/submissions",
    status_code=201,
    openapi_extra=BODY,
    responses={
        200: {"model": Submission, "description": "Sent again: this is the one that was stored."},
        **problems(404, 409, *UPLOAD_PROBLEMS),
    },
)
async def submit(
    course: CourseName,
    assignment: AssignmentName,
    *,
    request: Request,
    response: Response,
    caller: HandingIn,
    ledger: TheLedger,
    key: Key = "",
) -> Submission:
    """Hand in. The answer is the receipt: when it comes, the submission is durable.

    With an `Idempotency-Key`, a submission that is sent again is stored once.
    """

    def announce(manifest: Manifest) -> datetime:
        at = ledger.clock()
        ledger.require_open(course, assignment, caller.name, at, key, manifest)
        return at

    await run_in_threadpool(ledger.require_open, course, assignment, caller.name, ledger.clock(), key)
    limit = await run_in_threadpool(ledger.submission_limit, course)
    files, timeout_s = ledger.quotas.files, request.app.state.settings.upload_timeout_s
    bundle = await receive(request, ledger.store, announce, limit=limit, files=files, timeout_s=timeout_s)
    try:
        submission, new = await run_in_threadpool(
            ledger.submit, course, assignment, caller.name, bundle, key or secrets.token_hex(16)
        )
    finally:
        bundle.discard()
    request.app.state.notifier.notify()
    response.status_code = 201 if new else 200
    return submission


@router.get("/submissions/mine", responses=problems(400))
def list_my_submissions(
    course: CourseName, caller: Member, ledger: TheLedger, assignment: OfAssignment = ""
) -> list[Submission]:
    """One's own submissions, oldest first."""
    return ledger.submissions(course, assignment, caller.name)


@router.get("/submissions", responses=problems(400))
def list_submissions(
    course: CourseName, caller: Staff, ledger: TheLedger, assignment: OfAssignment = "", student: OfStudent = ""
) -> list[Submission]:
    """Everybody's submissions, oldest first."""
    return ledger.submissions(course, assignment, student)


@router.get("/submissions/{submission}", responses=problems(400, 404))
def show_submission(owned: OwnedSubmission) -> Submission:
    """One submission."""
    return owned.submission


@router.get(
    "/submissions/{submission}/archive",
    response_class=StreamingResponse,
    responses={200: ARCHIVE, **problems(400, 404)},
)
def fetch_submission(owned: OwnedSubmission, ledger: TheLedger) -> StreamingResponse:
    """The files of a submission."""
    submission = owned.submission
    ledger.log_fetch(
        owned.caller.name, submission.course, "submission", submission.assignment, submission.student, submission.id
    )
    return archive(submission.files, submission.manifest_sha256, ledger.content)
