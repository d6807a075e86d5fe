"""Who may do what: declared on each route as one of these guards, never decided in a route's body.

    anybody_of_the_hub     a token of the hub
    member                 student, TA or instructor of the course
    handing_in             the same, at the rate at which people hand in
    staff                  TA or instructor
    returning              the same, with an upload
    instructor             instructor
    releasing              the same, with an upload
    owner_or_staff         the student who handed this submission in, and staff of its course
    precheck_worker        the service that runs the course's prechecks, which may do nothing else
    precheck_claimant      the same, for a submission whose precheck it has claimed and not answered for
    member_or_precheck_worker   member, or that service
    visitor                a browser in which somebody has logged in with the hub, for the page alone

`require_guards` refuses to start a service with a route that has none.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import Path, Request, Security
from fastapi.concurrency import run_in_threadpool
from fastapi.routing import APIRoute
from fastapi.security import APIKeyHeader

from tito.exchange.protocol.names import check_id, check_student
from tito.exchange.protocol.problems import Refused
from tito.exchange.protocol.records import Role, Submission
from tito.exchange.server.identity import Caller
from tito.exchange.server.ledger import Ledger
from tito.exchange.server.login import SESSION, Login, LoginNeeded
from tito.exchange.server.page import require_navigation
from tito.exchange.server.submissions import no_submission

ID_PATTERN = r"^[A-Za-z0-9_][A-Za-z0-9_.@-]*$"
CourseName = Annotated[str, Path(pattern=ID_PATTERN, max_length=200, examples=["c101"])]
AssignmentName = Annotated[str, Path(pattern=ID_PATTERN, max_length=200, examples=["ps1"])]
Authorization = Annotated[
    str | None,
    Security(
        APIKeyHeader(
            name="Authorization", scheme_name="hub", description="'token ...' or 'Bearer ...'.", auto_error=False
        )
    ),
]
SubmissionId = Annotated[str, Path(pattern=r"^[0-9a-f]{32}$")]


@dataclass(frozen=True)
class Owned:
    """A submission, and the caller who may see it."""

    caller: Caller
    submission: Submission


class Guard:
    """A route without a course: any token of the hub will do."""

    def __init__(self, name: str) -> None:
        self.name = name

    async def __call__(self, request: Request, header: Authorization = None) -> Caller:
        return await _known(request, header)


class CourseGuard(Guard):
    """A route of a course: at least this role in it."""

    def __init__(self, name: str, least: Role, *, uploads: bool = False) -> None:
        super().__init__(name)
        self.least = least
        self.uploads = uploads

    async def __call__(  # type: ignore[override]
        self, request: Request, course: CourseName, header: Authorization = None
    ) -> Caller:
        caller = await _known(request, header)
        _require(caller, check_id("course", course), self.least)
        if self.uploads:
            request.app.state.uploads.count(caller.name, many=caller.role(course) > Role.STUDENT)
        return caller


class SubmissionGuard(Guard):
    """A route of one submission: its student, or staff. To others it is as if there were none."""

    async def __call__(  # type: ignore[override]
        self, request: Request, course: CourseName, submission: SubmissionId, header: Authorization = None
    ) -> Owned:
        caller = await _known(request, header)
        _require(caller, check_id("course", course), Role.STUDENT)
        ledger: Ledger = request.app.state.ledger
        record = await run_in_threadpool(ledger.submission, course, submission)
        if record.student != caller.name and caller.role(course) < Role.TA:
            raise no_submission(course)
        return Owned(caller, record)


class PrecheckWorkerGuard(Guard):
    """A route of the service that runs a course's prechecks; with `members`, of its members too."""

    def __init__(self, name: str, *, members: bool = False) -> None:
        super().__init__(name)
        self.members = members

    async def __call__(  # type: ignore[override]
        self, request: Request, course: CourseName, header: Authorization = None
    ) -> Caller:
        caller = await _known(request, header)
        if course in caller.prechecks:
            check_id("course", course)
        elif self.members:
            _require(caller, check_id("course", course), Role.STUDENT)
        else:
            raise _no_precheck_worker(caller, course)
        return caller


class PrecheckClaimGuard(Guard):
    """A route of a submission whose precheck is at work, for the service that runs it."""

    async def __call__(  # type: ignore[override]
        self, request: Request, course: CourseName, submission: SubmissionId, header: Authorization = None
    ) -> Owned:
        caller = await _known(request, header)
        if course not in caller.prechecks:
            raise _no_precheck_worker(caller, course)
        ledger: Ledger = request.app.state.ledger
        await run_in_threadpool(ledger.prechecks.require_claimed, course, submission, caller.name)
        return Owned(caller, await run_in_threadpool(ledger.submission, course, submission))


class VisitorGuard(Guard):
    """The page: the person whose token is in the browser's cookie. Others are sent to the hub to log in."""

    async def __call__(self, request: Request) -> Caller:  # type: ignore[override]
        try:
            login = login_of(request)
            require_navigation(request)
            token = login.cookie(request, SESSION)
            if not token:
                raise LoginNeeded(login)
            caller = await _known(request, f"token {token}")
            if caller.name.startswith("service:"):
                raise Refused("This page is for people.", status=403, where="page", hint="A service has the routes.")
            return caller
        except Refused as refusal:
            if refusal.status == 401:
                raise LoginNeeded(login) from refusal
            raise PageRefused(refusal) from refusal


class PageRefused(Exception):
    """A refusal that a person is to read in a browser."""

    def __init__(self, refusal: Refused) -> None:
        super().__init__(refusal)
        self.refusal = refusal


def login_of(request: Request) -> Login:
    """How browsers log in here.

    Raises:
        Refused: they cannot.
    """
    login: Login | None = request.app.state.login
    if login is None:
        hint = "The exchange was given no token of its own by the hub; see book/how-to/hub.md."
        raise Refused("There is no page here.", status=404, where="page", hint=hint)
    return login


def _no_precheck_worker(caller: Caller, course: str) -> Refused:
    hint = f"TITO_EXCHANGE_SERVICES says which service does, by the group precheck-{course}."
    return Refused(f"{caller.name} does not run the prechecks of {course}.", status=403, where=course, hint=hint)


anybody_of_the_hub = Guard("anybody of the hub")
member = CourseGuard("member", Role.STUDENT)
handing_in = CourseGuard("handing in", Role.STUDENT, uploads=True)
staff = CourseGuard("staff", Role.TA)
returning = CourseGuard("returning", Role.TA, uploads=True)
instructor = CourseGuard("instructor", Role.INSTRUCTOR)
releasing = CourseGuard("releasing", Role.INSTRUCTOR, uploads=True)
owner_or_staff = SubmissionGuard("owner or staff")
precheck_worker = PrecheckWorkerGuard("precheck worker")
precheck_claimant = PrecheckClaimGuard("precheck claimant")
member_or_precheck_worker = PrecheckWorkerGuard("member or precheck worker", members=True)
visitor = VisitorGuard("visitor")


async def _known(request: Request, header: str | None) -> Caller:
    caller: Caller = await request.app.state.identity.caller(header or "")
    request.scope["tito_user"] = caller.name  # for the log
    many = bool(caller.prechecks) or any(role > Role.STUDENT for role in caller.roles.values())
    request.app.state.requests.count(caller.name, many=many)
    if not caller.name.startswith("service:"):
        check_student(caller.name)
    return caller


WANTED = {Role.STUDENT: "a member", Role.TA: "a TA or instructor", Role.INSTRUCTOR: "an instructor"}


def _require(caller: Caller, course: str, least: Role) -> None:
    if caller.role(course) < least:
        raise Refused(
            f"{caller.name} is not {WANTED[least]} of {course}.",
            status=403,
            where=course,
            hint="Ask the instructor to add you to the hub's group of the course.",
        )


class Rate:
    """So many a minute for each user, and `staff_factor` times as many for staff. Counted in this process."""

    def __init__(self, per_minute: int, *, staff_factor: int = 50, clock: Callable[[], float] = time.monotonic) -> None:
        self.per_minute = per_minute
        self._staff_factor = staff_factor
        self._clock = clock
        self._left: dict[str, tuple[float, float]] = {}

    def count(self, user: str, *, many: bool) -> None:
        """Count one.

        Raises:
            Refused: too many in this minute.
        """
        most = self.per_minute * (self._staff_factor if many else 1)
        now = self._clock()
        left, since = self._left.get(user, (float(most), now))
        left = min(float(most), left + (now - since) * most / 60)
        if left < 1:
            wait = max(1, round((1 - left) * 60 / most))
            raise Refused(
                "Too many requests.",
                status=429,
                where=user,
                hint=f"Try again in {wait} s.",
                retry_after_s=wait,
            )
        self._left[user] = (left - 1, now)


def guard_of(route: APIRoute) -> Guard | None:
    """The one guard that a route declares."""
    guards = [dependency.call for dependency in route.dependant.dependencies if isinstance(dependency.call, Guard)]
    return guards[0] if len(guards) == 1 else None


def require_guards(routes: Iterable[Any], public: frozenset[str]) -> None:
    """Raise unless every route but the named ones declares who may use it."""
    for route in routes:
        if isinstance(route, APIRoute) and route.name not in public and guard_of(route) is None:
            raise RuntimeError(f"The route {route.path} ({route.name}) does not say who may use it.")
