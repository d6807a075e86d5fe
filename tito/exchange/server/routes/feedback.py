"""Feedback on submissions: given by staff, read by whoever handed the work in."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import StreamingResponse

from tito.exchange.protocol.archive import archive
from tito.exchange.protocol.records import Feedback
from tito.exchange.server.access import CourseName, SubmissionId
from tito.exchange.server.quotas import MB
from tito.exchange.server.routes import ARCHIVE, UPLOAD_PROBLEMS, OwnedSubmission, Returning, TheLedger, problems
from tito.exchange.server.upload import BODY, receive

router = APIRouter(prefix="/courses/{course}/submissions/{submission}/feedback", tags=["feedback"])


@router.post(
    "",
    status_code=201,
    openapi_extra=BODY,
    responses={200: {"model": Feedback, "description": "Given just so already."}, **problems(404, *UPLOAD_PROBLEMS)},
)
async def give_feedback(
    course: CourseName,
    submission: SubmissionId,
    request: Request,
    response: Response,
    caller: Returning,
    ledger: TheLedger,
) -> Feedback:
    """Return feedback on a submission; the newest counts."""
    await run_in_threadpool(ledger.submission, course, submission)
    quotas, timeout_s = ledger.quotas, request.app.state.settings.upload_timeout_s
    limit = quotas.feedback_mb * MB
    bundle = await receive(
        request, ledger.store, lambda manifest: ledger.clock(), limit=limit, files=quotas.files, timeout_s=timeout_s
    )
    try:
        feedback, new = await run_in_threadpool(ledger.give_feedback, course, submission, bundle, caller.name)
    finally:
        bundle.discard()
    response.status_code = 201 if new else 200
    return feedback


@router.get("", responses=problems(400, 404))
def show_feedback(owned: OwnedSubmission, ledger: TheLedger) -> Feedback:
    """The newest feedback on a submission."""
    return ledger.feedback(owned.submission.course, owned.submission.id)


@router.get("/archive", response_class=StreamingResponse, responses={200: ARCHIVE, **problems(400, 404)})
def fetch_feedback(owned: OwnedSubmission, ledger: TheLedger) -> StreamingResponse:
    """The files of the newest feedback."""
    of = owned.submission
    feedback = ledger.feedback(of.course, of.id)
    ledger.log_fetch(owned.caller.name, of.course, "feedback", of.assignment, of.student, of.id)
    return archive(feedback.files, feedback.manifest_sha256, ledger.content)
