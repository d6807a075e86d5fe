"""Prechecks: taken on and answered for by the service that runs visible tests, and read by who handed in."""

from __future__ import annotations

import time
from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, ConfigDict, Field

from tito.exchange.protocol.archive import archive
from tito.exchange.protocol.records import Lease, Precheck, PrecheckClaim, PrecheckedTest, PrecheckResult
from tito.exchange.server.access import CourseName, SubmissionId
from tito.exchange.server.notifier import Notifier
from tito.exchange.server.routes import ARCHIVE, ClaimedSubmission, OwnedSubmission, PrecheckWorker, TheLedger, problems

router = APIRouter(prefix="/courses/{course}", tags=["prechecks"])
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
    """By which a worker has a precheck."""

    model_config = ConfigDict(extra="forbid")

    lease: Annotated[str, Field(pattern=r"^[0-9a-f]{32}$")]


class ResultIn(LeaseIn):
    """What a worker says of a submission."""

    revision: Annotated[int, Field(ge=1, le=10**9)]
    engine: Annotated[str, Field(max_length=64)]
    tests: Annotated[list[TestIn], Field(max_length=1000)] = []
    fault: Annotated[str, Field(max_length=400)] = ""


@router.get("/submissions/{submission}/precheck", responses=problems(400, 404))
def show_precheck(owned: OwnedSubmission, ledger: TheLedger) -> Precheck:
    """What the visible tests say of a submission, or how long that will take."""
    return ledger.prechecks.of_submission(owned.submission.course, owned.submission.id)


@router.post("/prechecks/claim", responses=problems(400))
async def claim_precheck(
    course: CourseName,
    caller: PrecheckWorker,
    ledger: TheLedger,
    request: Request,
    wait_s: Annotated[float, Query(ge=0, le=10, description="How long to wait for one.")] = 0.0,
) -> PrecheckClaim | None:
    """Take on the precheck whose turn it is; null where there is none."""
    notifier: Notifier = request.app.state.notifier
    until = time.monotonic() + wait_s
    while True:
        subscription = notifier.subscribe()
        if (claim := await run_in_threadpool(ledger.claim_precheck, course, caller.name)) is not None:
            return claim
        left = until - time.monotonic()
        if left <= 0 or notifier.is_closed or await request.is_disconnected():
            return None
        await subscription.wait(min(left, LOOK_S))


@router.get(
    "/prechecks/{submission}/archive", response_class=StreamingResponse, responses={200: ARCHIVE, **problems(400, 404)}
)
def fetch_claimed(owned: ClaimedSubmission, ledger: TheLedger) -> StreamingResponse:
    """The files of a submission, for whoever runs its precheck."""
    return archive(owned.submission.files, owned.submission.manifest_sha256, ledger.content)


@router.post("/prechecks/{submission}/renewal", responses=problems(400, 409))
def renew_precheck(
    course: CourseName, submission: SubmissionId, body: LeaseIn, caller: PrecheckWorker, ledger: TheLedger
) -> Lease:
    """Have a precheck for longer: its lease is a short one, so that another worker soon has it when this one dies."""
    return ledger.renew_precheck(course, submission, body.lease, caller.name)


@router.post("/prechecks/{submission}/result", status_code=201, responses=problems(400, 409))
def give_result(
    course: CourseName, submission: SubmissionId, body: ResultIn, caller: PrecheckWorker, ledger: TheLedger
) -> Precheck:
    """Answer for a precheck. Kept once, and not changed then. With a fault it is tried again, and kept at last."""
    tests = [PrecheckedTest(**test.model_dump()) for test in body.tests]
    result = PrecheckResult(body.revision, body.engine, ledger.clock(), tests, body.fault)
    return ledger.prechecks.keep(course, submission, body.lease, result, caller.name)
