"""What concerns a whole course: its policy, and the log of who took what."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from tito.exchange.access import CourseName
from tito.exchange.records import Fetch, Policy, PolicyState
from tito.exchange.routes import Instructor, TheLedger, problems

router = APIRouter(prefix="/courses/{course}", tags=["courses"])
Name = Annotated[str, Field(max_length=200)]
Moments = Annotated[dict[Name, AwareDatetime], Field(max_length=10_000)]


class PolicyIn(BaseModel):
    """What a course file says about time and size."""

    model_config = ConfigDict(extra="forbid")

    deadlines: Moments = {}
    cutoffs: Moments = {}
    extensions: Annotated[dict[Name, Moments], Field(max_length=1000)] = {}
    submission_mb: Annotated[int, Field(gt=0, le=10_000)] | None = None


@router.get("/policy", responses=problems(400))
def show_policy(course: CourseName, caller: Instructor, ledger: TheLedger) -> PolicyState:
    """Deadlines, extensions and cut-offs, as they stand here."""
    return ledger.policy(course)


@router.put("/policy", responses=problems(400))
def set_policy(course: CourseName, policy: PolicyIn, caller: Instructor, ledger: TheLedger) -> PolicyState:
    """Take over what the course file says."""
    wanted = Policy(dict(policy.deadlines), dict(policy.cutoffs), policy.extensions, policy.submission_mb)
    return ledger.set_policy(course, wanted, caller.name)


@router.get("/fetches", responses=problems(400))
def list_fetches(
    course: CourseName,
    caller: Instructor,
    ledger: TheLedger,
    assignment: Annotated[str, Query(max_length=200)] = "",
) -> list[Fetch]:
    """Who took what, newest first."""
    return ledger.fetches(course, assignment)
