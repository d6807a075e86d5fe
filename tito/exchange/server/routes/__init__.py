"""The service's routes, one file a noun. Each says in its signature who may use it; see `access`."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Depends, Request
from pydantic import BaseModel

from tito.exchange.server.access import (
    Owned,
    anybody_of_the_hub,
    handing_in,
    instructor,
    member,
    member_or_precheck_worker,
    owner_or_staff,
    precheck_claimant,
    precheck_worker,
    releasing,
    returning,
    staff,
    visitor,
)
from tito.exchange.server.identity import Caller
from tito.exchange.server.ledger import Ledger

AnybodyOfTheHub = Annotated[Caller, Depends(anybody_of_the_hub)]
Member = Annotated[Caller, Depends(member)]
HandingIn = Annotated[Caller, Depends(handing_in)]
Staff = Annotated[Caller, Depends(staff)]
Returning = Annotated[Caller, Depends(returning)]
Instructor = Annotated[Caller, Depends(instructor)]
Releasing = Annotated[Caller, Depends(releasing)]
PrecheckWorker = Annotated[Caller, Depends(precheck_worker)]
MemberOrPrecheckWorker = Annotated[Caller, Depends(member_or_precheck_worker)]
Visitor = Annotated[Caller, Depends(visitor)]
ClaimedSubmission = Annotated[Owned, Depends(precheck_claimant)]
OwnedSubmission = Annotated[Owned, Depends(owner_or_staff)]


def _ledger(request: Request) -> Ledger:
    ledger: Ledger = request.app.state.ledger
    return ledger


TheLedger = Annotated[Ledger, Depends(_ledger)]


class Problem(BaseModel):
    """What every answer says that is no success."""

    error: str
    where: str
    hint: str


def problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The refusals that a route can answer with, for the OpenAPI description."""
    return {status: {"model": Problem} for status in sorted({401, 403, 422, 429, 503, *statuses})}


UPLOAD_PROBLEMS = (400, 408, 413, 415, 507)
ARCHIVE: dict[str, Any] = {
    "description": "The files, as a tar stream; X-Manifest-SHA256 is the SHA-256 of their manifest.",
    "content": {"application/x-tar": {"schema": {"type": "string", "format": "binary"}}},
}
