"""Assignments as they are released and fetched."""

from __future__ import annotations

from datetime import datetime

from fastapi import APIRouter, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import StreamingResponse

from tito.exchange.protocol.archive import archive
from tito.exchange.protocol.names import check_id
from tito.exchange.protocol.records import Manifest, Release
from tito.exchange.server.access import AssignmentName, CourseName
from tito.exchange.server.quotas import MB
from tito.exchange.server.routes import (
    ARCHIVE,
    UPLOAD_PROBLEMS,
    Instructor,
    Member,
    MemberOrPrecheckWorker,
    Releasing,
    TheLedger,
    problems,
)
from tito.exchange.server.upload import BODY, receive

router = APIRouter(prefix="/courses/{course}/releases", tags=["releases"])


@router.get("", responses=problems(400))
def list_releases(course: CourseName, caller: Member, ledger: TheLedger) -> list[Release]:
    """What is released now."""
    return ledger.releases(course)


@router.get("/{assignment}", responses=problems(400, 404))
def show_release(course: CourseName, assignment: AssignmentName, caller: Member, ledger: TheLedger) -> Release:
    """The newest revision of an assignment."""
    return ledger.release(course, assignment)


@router.get("/{assignment}/archive", response_class=StreamingResponse, responses={200: ARCHIVE, **problems(400, 404)})
def fetch_release(
    course: CourseName, assignment: AssignmentName, caller: MemberOrPrecheckWorker, ledger: TheLedger
) -> StreamingResponse:
    """The files of the newest revision."""
    release = ledger.release(course, assignment)
    ledger.log_fetch(caller.name, course, "release", assignment, "", str(release.revision))
    return archive(release.files, release.manifest_sha256, ledger.content)


@router.post(
    "/{assignment}",
    status_code=201,
    openapi_extra=BODY,
    responses={
        200: {"model": Release, "description": "Released just so already."},
        **problems(404, 409, *UPLOAD_PROBLEMS),
    },
)
async def release(
    course: CourseName,
    assignment: AssignmentName,
    *,
    request: Request,
    response: Response,
    caller: Releasing,
    ledger: TheLedger,
    replace: bool = False,
) -> Release:
    """Release an assignment, or with `replace` a new revision of it."""
    check_id("assignment", assignment)
    quotas, timeout_s = ledger.quotas, request.app.state.settings.upload_timeout_s
    limit = quotas.release_mb * MB

    def announce(manifest: Manifest) -> datetime:
        ledger.require_publishable(course, assignment, manifest, replace=replace)
        return ledger.clock()

    bundle = await receive(request, ledger.store, announce, limit=limit, files=quotas.files, timeout_s=timeout_s)
    try:
        release, new = await run_in_threadpool(ledger.publish, course, assignment, bundle, caller.name, replace=replace)
    finally:
        bundle.discard()
    response.status_code = 201 if new else 200
    return release


@router.delete("/{assignment}", responses=problems(400, 404))
def withdraw_release(course: CourseName, assignment: AssignmentName, caller: Instructor, ledger: TheLedger) -> Release:
    """Take a release back. What was submitted stays."""
    return ledger.withdraw(course, assignment, caller.name)
