"""Prechecks: taken on and answered for by the service that runs visible tests, and read by who handed in."""

from __future__ import annotations

import time
from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, ConfigDict, Field

from tito.exchange.protocol.archive import archive
from tito.exchange.protocol.records import Check, CheckedTest, CheckResult, Claim, Lease
from tito.exchange.server.access import CourseName, SubmissionId
from tito.exchange.server.routes import ARCHIVE, Checker, ClaimedSubmission, OwnedSubmission, TheLedger, problems

router = APIRouter(prefix="/courses/{course}", tags=["checks"])
LOOK_S = 0.5  # where nothing is notified: what came to another replica, whose lease has run out, whose limit is over
Name = Annotated[str, Field(max_length=400)]


class TestIn(BaseModel):
    """What one visible test said."""

    model_config = ConfigDict(extra="forbid")

    notebook: Name
    name: Name
    verdict: Annotated[str, Field(max_length=32)]
    message: Annotated[str, Field(max_length=4000)] = ""
    seconds: Annotated[float, Field(ge=0, le=1e6)] = 0.0


class LeaseIn(BaseModel):
    """By which a worker has a check."""

    model_config = ConfigDict(extra="forbid")

    lease: Annotated[str, Field(pattern=r"^[0-9a-f]{32}$")]


class ResultIn(LeaseIn):
    """What a worker says of a submission."""

    revision: Annotated[int, Field(ge=1, le=10**9)]
    engine: Annotated[str, Field(max_length=64)]
    tests: Annotated[list[TestIn], Field(max_length=1000)] = []
    fault: Annotated[str, Field(max_length=400)] = ""


@router.get("/submissions/{submission}/check", responses=problems(400, 404))
def show_check(owned: OwnedSubmission, ledger: TheLedger) -> Check:
    """What the visible tests say of a submission, or how long that will take."""
    return ledger.checks.check(owned.submission.course, owned.submission.id)


@router.post("/checks/claim", responses=problems(400))
async def claim_check(
    course: CourseName,
    caller: Checker,
    ledger: TheLedger,
    request: Request,
    wait_s: Annotated[float, Query(ge=0, le=10, description="How long to wait for one.")] = 0.0,
) -> Claim | None:
    """Take on the check whose turn it is; null where there is none."""
    until = time.monotonic() + wait_s
    while True:
        subscription = request.app.state.notifier.subscribe()
        if (claim := await run_in_threadpool(ledger.claim_check, course, caller.name)) is not None:
            return claim
        left = until - time.monotonic()
        if left <= 0 or await request.is_disconnected():
            return None
        await subscription.wait(min(left, LOOK_S))


@router.get(
    "/checks/{submission}/archive", response_class=StreamingResponse, responses={200: ARCHIVE, **problems(400, 404)}
)
def fetch_claimed(owned: ClaimedSubmission, ledger: TheLedger) -> StreamingResponse:
    """The files of a submission, for who checks it."""
    return archive(owned.submission.files, owned.submission.manifest_sha256, ledger.content)


@router.post("/checks/{submission}/renewal", responses=problems(400, 409))
def renew_check(
    course: CourseName, submission: SubmissionId, body: LeaseIn, caller: Checker, ledger: TheLedger
) -> Lease:
    """Have a check for longer: its lease is a short one, so that another worker soon has it when this one dies."""
    return ledger.renew_check(course, submission, body.lease, caller.name)


@router.post("/checks/{submission}/result", status_code=201, responses=problems(400, 409))
def give_result(
    course: CourseName, submission: SubmissionId, body: ResultIn, caller: Checker, ledger: TheLedger
) -> Check:
    """Answer for a check. Kept once; what was kept is not changed. With a fault it is tried again, and kept at last."""
    tests = [CheckedTest(**test.model_dump()) for test in body.tests]
    result = CheckResult(body.revision, body.engine, ledger.clock(), tests, body.fault)
    return ledger.checks.keep(course, submission, body.lease, result, caller.name)
