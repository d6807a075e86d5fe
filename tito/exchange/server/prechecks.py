"""The queue of prechecks: submissions whose visible tests are to be run, by whom, and what came of it.

One job a submission. A worker takes one on by one conditional UPDATE, under a lease that it renews while it works: when
the lease has run out and no result has come, the job is anybody's again. The oldest goes first, but a student who has
just had a turn goes behind all who waited for theirs meanwhile, and nobody has two prechecks at work at once. What is
over the rate limit waits until it may be made. What is queued is never what makes a submission fail, or wait.
"""

from __future__ import annotations

import logging
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, Select, Update, and_, case, exists, func, or_, select
from sqlalchemy.exc import SQLAlchemyError

from tito.exchange.protocol.problems import Refused, not_found
from tito.exchange.protocol.records import (
    Lease,
    Precheck,
    PrecheckedTest,
    PrecheckPolicy,
    PrecheckResult,
    PrecheckState,
)
from tito.exchange.server import tables
from tito.exchange.server.database import Database
from tito.validation import from_json, to_json

LOG = logging.getLogger("tito.exchange")
HOUR = timedelta(hours=1)
ATTEMPTS = 3  # a job that brought down that many workers, or could not be run by them, is not tried again
AGAIN = timedelta(seconds=2)  # after which one that could not be run is
JOB = tables.precheck_job.c


@dataclass(frozen=True)
class _Content:
    """What of a result lies in one column."""

    tests: list[PrecheckedTest]
    fault: str


class PrecheckQueue:
    """The jobs of all courses of an exchange."""

    def __init__(self, database: Database, clock: Callable[[], datetime]) -> None:
        self.database = database
        self.clock = clock

    # ---- by who submits ----------------------------------------------------------------------------

    def queue(self, connection: Connection, submission: Row[Any], precheck: PrecheckPolicy | None) -> None:
        """Queue the precheck of a submission, in the transaction that stores it; in the place of an older one's that
        has not begun. One over the rate limit waits until that allows it. Where queuing fails, the submission is stored
        all the same."""
        if precheck is None:
            return
        try:
            with connection.begin_nested():
                self._queue(connection, submission, precheck)
        except SQLAlchemyError as error:
            LOG.warning("The precheck of submission %s was not queued: %s", submission.id, type(error).__name__)

    def _queue(self, connection: Connection, submission: Row[Any], precheck: PrecheckPolicy) -> None:
        now = self.clock()
        mine = and_(
            JOB.student == submission.student,
            JOB.course == submission.course,
            JOB.assignment == submission.assignment,
        )
        not_begun = and_(mine, JOB.state == PrecheckState.WAITING, JOB.claimed_at.is_(None))
        connection.execute(tables.precheck_job.update().where(not_begun).values(state=PrecheckState.REPLACED))
        begun = select(JOB.claimed_at).where(mine, JOB.claimed_at > now - HOUR).order_by(JOB.claimed_at)
        times = list(connection.execute(begun).scalars())
        over = len(times) >= precheck.per_hour
        values = {
            "submission": submission.number,
            "course": submission.course,
            "assignment": submission.assignment,
            "student": submission.student,
            "queued_at": now,
            "state": PrecheckState.WAITING,
            "next_at": times[-precheck.per_hour] + HOUR if over else None,
            "attempts": 0,
        }
        connection.execute(tables.precheck_job.insert(), values)

    def of_submission(self, course: str, reference: str) -> Precheck:
        """How it stands with the precheck of a submission.

        Raises:
            Refused: the result cannot be read.
        """
        mine = (tables.submission.c.course == course, tables.submission.c.id == reference)
        return self._found(*mine).get(reference, Precheck(reference, PrecheckState.OFF))

    def of_student(self, course: str, student: str) -> dict[str, Precheck]:
        """A student's prechecks in a course, by the submission that each is of."""
        return self._found(JOB.course == course, JOB.student == student)

    def _found(self, *wanted: Any) -> dict[str, Precheck]:
        query = (
            select(tables.submission.c.id.label("reference"), JOB.state, JOB.next_at, tables.precheck_result)
            .select_from(tables.precheck_job.join(tables.submission))
            .outerjoin(tables.precheck_result, tables.precheck_result.c.job == JOB.number)
            .where(*wanted)
        )
        with self.database.read() as connection:
            rows = connection.execute(query).all()
        now = self.clock()
        return {row.reference: _precheck(row, now) for row in rows}

    # ---- by workers --------------------------------------------------------------------------------

    def next(self, course: str) -> Row[Any] | None:
        """The job whose turn it is, with its submission's id: not taken on by anybody, or not answered for in time, and
        of a student who has no other at work."""
        mine = tables.precheck_job.alias()
        last = (
            select(func.max(mine.c.claimed_at))
            .where(mine.c.student == JOB.student, mine.c.course == course)
            .scalar_subquery()
        )
        turn = case((last > JOB.queued_at, last), else_=JOB.queued_at)
        query: Select[Any] = (
            select(tables.precheck_job, tables.submission.c.id.label("reference"))
            .select_from(tables.precheck_job.join(tables.submission))
            .where(JOB.course == course, self._free())
            .order_by(turn, JOB.number)
            .limit(1)
        )
        with self.database.read() as connection:
            return connection.execute(query).one_or_none()

    def lease(self, job: Row[Any], by: str, seconds: float) -> Lease | None:
        """Take a job on; None where another was faster."""
        now = self.clock()
        lease = Lease(secrets.token_hex(16), now + timedelta(seconds=seconds), seconds)
        values = {"lease": lease.key, "leased_until": lease.until, "claimed_at": now, "claimed_by": by}
        # Whoever takes on a job of this student waits here for the other who does: both would see none at work. (SQLite
        # lets one write at a time anyhow, and knows no FOR UPDATE.)
        mine = select(JOB.number).where(JOB.student == job.student, JOB.state == PrecheckState.WAITING)
        with self.database.write() as connection:
            connection.execute(mine.order_by(JOB.number).with_for_update()).all()
            taken = connection.execute(self._take(job.number).values(attempts=JOB.attempts + 1, **values))
            return lease if taken.rowcount else None

    def renew(self, course: str, reference: str, lease: str, by: str, seconds: float) -> Lease:
        """Have a lease for longer.

        Raises:
            Refused: it is another's by now, or there is a result.
        """
        lease_from_now = Lease(lease, self.clock() + timedelta(seconds=seconds), seconds)
        held = and_(*_held(course, reference, lease, by), JOB.state == PrecheckState.WAITING)
        with self.database.write() as connection:
            if not connection.execute(
                tables.precheck_job.update().where(held).values(leased_until=lease_from_now.until)
            ).rowcount:
                raise _lost()
        return lease_from_now

    def drop(self, job: int, state: PrecheckState) -> None:
        """Have a job that nobody works on end without a result."""
        with self.database.write() as connection:
            connection.execute(self._take(job).values(state=state))

    def _take(self, job: int) -> Update:
        return tables.precheck_job.update().where(JOB.number == job, self._free())

    def _free(self) -> Any:
        now, other = self.clock(), tables.precheck_job.alias()
        unclaimed = or_(JOB.leased_until.is_(None), JOB.leased_until <= now)
        allowed = or_(JOB.next_at.is_(None), JOB.next_at <= now)
        busy = exists().where(
            other.c.student == JOB.student, other.c.state == PrecheckState.WAITING, other.c.leased_until > now
        )
        return and_(JOB.state == PrecheckState.WAITING, unclaimed, allowed, ~busy)

    def require_claimed(self, course: str, reference: str, by: str) -> None:
        """Raise unless that service has taken on the precheck of this submission, and its lease has not run out.

        Raises:
            Refused: it has not.
        """
        query = (
            select(JOB.number)
            .select_from(tables.precheck_job.join(tables.submission))
            .where(JOB.course == course, tables.submission.c.id == reference, JOB.claimed_by == by)
            .where(JOB.state == PrecheckState.WAITING, JOB.leased_until > self.clock())
        )
        with self.database.read() as connection:
            if connection.execute(query).first() is None:
                raise not_found("precheck of this submission at work", course, "Claim one first.")

    def keep(self, course: str, reference: str, lease: str, result: PrecheckResult, by: str) -> Precheck:
        """Keep the result of a precheck: once, and of whoever holds its lease. What could not be run is tried again.

        Raises:
            Refused: the lease is another's by now, or there is no such job.
        """
        held = _held(course, reference, lease, by)
        with self.database.write() as connection:
            mine = tables.precheck_job.update().where(*held, JOB.state == PrecheckState.WAITING)
            if result.fault:
                again = {"lease": None, "claimed_by": None, "leased_until": self.clock() + AGAIN}
                if connection.execute(mine.where(JOB.attempts < ATTEMPTS).values(again)).rowcount:
                    return Precheck(reference, PrecheckState.WAITING)
            job = connection.execute(mine.values(state=PrecheckState.DONE).returning(JOB.number)).scalar_one_or_none()
            if job is not None:
                values = {
                    "job": job,
                    "made_at": result.made_at,
                    "made_by": by,
                    "revision": result.revision,
                    "engine": result.engine,
                    "content": to_json(_Content(result.tests, result.fault)),
                }
                connection.execute(tables.precheck_result.insert(), values)
            elif connection.execute(select(JOB.number).where(*held, JOB.state == PrecheckState.DONE)).first() is None:
                raise _lost()
        return self.of_submission(course, reference)


def _held(course: str, reference: str, lease: str, by: str) -> tuple[Any, ...]:
    """That a job is the one of a submission, and under this lease of this worker's."""
    submission = tables.submission.c
    number = select(submission.number).where(submission.course == course, submission.id == reference)
    return JOB.submission == number.scalar_subquery(), JOB.lease == lease, JOB.claimed_by == by


def _lost() -> Refused:
    hint = "It ran out, and another worker has taken this precheck on."
    return Refused("This lease is not the one of a precheck at work.", status=409, where="lease", hint=hint)


def _precheck(row: Row[Any], now: datetime) -> Precheck:
    waits = row.state == PrecheckState.WAITING and row.next_at is not None and row.next_at > now
    result = _result(row) if row.content is not None else None
    return Precheck(row.reference, PrecheckState(row.state), row.next_at if waits else None, result)


def _result(row: Row[Any]) -> PrecheckResult:
    content = from_json(_Content, row.content)
    return PrecheckResult(row.revision, row.engine, row.made_at, content.tests, content.fault)
