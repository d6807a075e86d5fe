"""What concerns a whole course: its policy, and the log of who took what."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from tito.course.settings import MOST_SUBMITTED_MB, FileSettings
from tito.exchange.protocol.records import Deadline, Fetch, Policy, PolicyState, PrecheckPolicy
from tito.exchange.server.access import CourseName
from tito.exchange.server.routes import Instructor, Member, TheLedger, problems
from tito.models import Limits
from tito.policy.credit import CreditStep, LatePolicy
from tito.policy.time_policy import TokenSettings

router = APIRouter(prefix="/courses/{course}", tags=["courses"])
Name = Annotated[str, Field(max_length=200)]
Moments = Annotated[dict[Name, AwareDatetime], Field(max_length=10_000)]
Names = Annotated[tuple[Name, ...], Field(max_length=10_000)]
Pattern = Annotated[str, Field(min_length=1, max_length=200)]
Package = Annotated[str, Field(max_length=200, pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")]


class LimitsIn(BaseModel):
    """What one precheck may use: as `Limits`, and no more than a worker bears."""

    model_config = ConfigDict(extra="forbid")

    cell_timeout_s: Annotated[float, Field(gt=0, le=300)] = 10
    notebook_timeout_s: Annotated[float, Field(gt=0, le=900)] = 60
    memory_mb: Annotated[int, Field(gt=0, le=16_384)] = Limits.memory_mb
    scratch_mb: Annotated[int, Field(gt=0, le=4096)] = Limits.scratch_mb
    processes: Annotated[int, Field(gt=0, le=1024)] = Limits.processes
    output_kb: Annotated[int, Field(gt=0, le=16_384)] = Limits.output_kb
    submission_mb: Annotated[int, Field(gt=0, le=10_000)] = Limits.submission_mb


class FilesIn(BaseModel):
    """Which files beside the notebook a precheck has: as `FileSettings`."""

    model_config = ConfigDict(extra="forbid")

    submitted: Annotated[tuple[Pattern, ...], Field(max_length=100)] = ()
    assignments: Annotated[dict[Name, tuple[Pattern, ...]], Field(max_length=1000)] = {}
    most: Annotated[int, Field(ge=0, le=1000)] = FileSettings.most
    size_mb: Annotated[int, Field(ge=0, le=MOST_SUBMITTED_MB)] = FileSettings.size_mb
    total_mb: Annotated[int, Field(ge=0, le=MOST_SUBMITTED_MB)] = FileSettings.total_mb
    copied_mb: Annotated[int, Field(ge=0, le=1_000_000)] = FileSettings.copied_mb


class PrecheckIn(BaseModel):
    """That visible tests are run on submit."""

    model_config = ConfigDict(extra="forbid")

    per_hour: Annotated[int, Field(gt=0, le=1000)]
    packages: Annotated[list[Package], Field(max_length=200)] = []
    limits: LimitsIn = LimitsIn()
    files: FilesIn = FilesIn()


class TimeIn(BaseModel):
    """What a course says about time: as `TimePolicy`, which has the bounds of each number."""

    model_config = ConfigDict(extra="forbid")

    deadlines: Moments = {}
    cutoffs: Moments = {}
    extensions: Annotated[dict[Name, Moments], Field(max_length=1000)] = {}
    labels: Annotated[dict[Name, Names], Field(max_length=1000)] = {}
    excuses: Annotated[dict[Name, Names], Field(max_length=1000)] = {}
    late: LatePolicy = LatePolicy()
    credit: Annotated[dict[Name, Annotated[tuple[CreditStep, ...], Field(max_length=100)]], Field(max_length=1000)] = {}
    tokens: TokenSettings = TokenSettings()


class PolicyIn(TimeIn):
    """What a course says about time, size and prechecks."""

    submission_mb: Annotated[int, Field(gt=0, le=10_000)] | None = None
    precheck: PrecheckIn | None = None


@router.get("/policy", responses=problems(400))
def show_policy(course: CourseName, caller: Instructor, ledger: TheLedger) -> PolicyState:
    """Deadlines, extensions, credit and tokens, as they stand here."""
    return ledger.policy(course)


@router.get("/deadlines/mine", responses=problems(400))
def list_my_deadlines(course: CourseName, caller: Member, ledger: TheLedger) -> list[Deadline]:
    """One's own deadlines, and what comes of handing in now: late or not, credit, and tokens."""
    return ledger.deadlines(course, caller.name)


@router.put("/policy", responses=problems(400))
def set_policy(course: CourseName, policy: PolicyIn, caller: Instructor, ledger: TheLedger) -> PolicyState:
    """Take over what the course file says."""
    precheck = None
    if (sent := policy.precheck) is not None:
        limits, files = Limits(**sent.limits.model_dump()), FileSettings(**sent.files.model_dump())
        precheck = PrecheckPolicy(sent.per_hour, tuple(sent.packages), limits, files)
    time = {name: getattr(policy, name) for name in TimeIn.model_fields}
    wanted = Policy(**time, submission_mb=policy.submission_mb, precheck=precheck)
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
