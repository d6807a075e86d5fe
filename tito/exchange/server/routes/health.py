"""Whether the service works."""

from __future__ import annotations

from fastapi import APIRouter
from pydantic import BaseModel

from tito.exchange.server.routes import Problem, TheLedger

router = APIRouter(tags=["health"])


class Health(BaseModel):
    """That the database answers and the store can be written to."""

    status: str


@router.get("/health", responses={503: {"model": Problem}, 507: {"model": Problem}})
def health(ledger: TheLedger) -> Health:
    """For whoever watches over the service. Needs no token, and tells nothing of the courses."""
    ledger.require_ready()
    return Health(status="ok")
