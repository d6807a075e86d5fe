"""The exchange itself: every rule of releasing, submitting and returning, but for who may do what.

The routes of the service call it, and so does the gateway of a machine without a hub. Content is made durable first,
then one transaction says what it is: whoever gets an answer can rely on it, and what was stopped half-way is not there.
"""

from __future__ import annotations

import errno
import secrets
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from pydantic import PositiveInt
from sqlalchemy import Connection, Row, Select, func, select

from tito.exchange.protocol.problems import Refused, not_found
from tito.exchange.protocol.records import (
    Entry,
    Feedback,
    Fetch,
    Lease,
    Manifest,
    Policy,
    PolicyState,
    PrecheckClaim,
    PrecheckState,
    Release,
    Submission,
)
from tito.exchange.server import tables
from tito.exchange.server.database import Database, storage_full
from tito.exchange.server.prechecks import ATTEMPTS, PrecheckQueue
from tito.exchange.server.rows import batches, files_of, keep_course, keep_manifest, latest, named
from tito.exchange.server.store import BlobStore, Incoming, read_checked
from tito.validation import from_json, to_json

MB = 1 << 20
TICK = timedelta(microseconds=1)


@dataclass(frozen=True)
class Quotas:
    """What one bundle, and one student, may use."""

    submission_mb: PositiveInt = 20  # where the course file says nothing
    submission_max_mb: PositiveInt = 200  # whatever the course file says
    release_mb: PositiveInt = 500
    feedback_mb: PositiveInt = 100
    files: PositiveInt = 1000
    submissions: PositiveInt = 500  # of one assignment by one student
    student_mb: PositiveInt = 2000  # of all that one student has handed in to one course, the same files counted once
    precheck_lease_s: PositiveInt = 20  # after which the precheck of a worker that was heard of no more is another's


@dataclass
class Bundle:
    """Files received and not yet kept."""

    manifest: Manifest
    blobs: list[Incoming] = field(default_factory=list)
    announced_at: datetime | None = None  # when all of the manifest had come, by the exchange's clock

    def discard(self) -> None:
        for blob in self.blobs:
            blob.discard()


class Ledger:
    """Releases, submissions, feedback and policies of all courses of this exchange."""

    def __init__(
        self,
        database: Database,
        store: BlobStore,
        quotas: Quotas | None = None,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        *,
        precheck: bool = False,
    ) -> None:
        """With `precheck`, submissions to a course that wants it are queued for an precheck: where a service stands
        in front, so that a worker can come for them."""
        self.database = database
        self.store = store
        self.quotas = quotas or Quotas()
        self.clock = clock
        self.precheck = precheck
        self.prechecks = PrecheckQueue(database, clock)

    def close(self) -> None:
        self.database.close()
        self.store.close()

    def courses(self) -> list[str]:
        """All courses that anything was ever released in."""
        with self.database.read() as connection:
            return list(connection.execute(select(tables.course.c.id).order_by(tables.course.c.id)).scalars())

    # ---- releases ----------------------------------------------------------------------------------

    def releases(self, course: str, assignment: str = "") -> list[Release]:
        """The newest revision of each assignment that is released and not withdrawn."""
        with self.database.read() as connection:
            rows = connection.execute(_releases(course, assignment)).all()
            files = files_of(connection, {row.manifest for row in rows})
        return [_release(row, files) for row in rows if row.withdrawn_at is None]

    def release(self, course: str, assignment: str) -> Release:
        """One assignment's newest revision.

        Raises:
            Refused: it is not released, or was withdrawn.
        """
        found = self.releases(course, assignment)
        if not found:
            raise not_released(course, assignment)
        return found[0]

    def publish(self, course: str, assignment: str, bundle: Bundle, by: str, *, replace: bool) -> tuple[Release, bool]:
        """Release an assignment, as a new revision unless it stands released just so; and whether it is new.

        Raises:
            Refused: see `require_publishable`.
        """
        manifest = bundle.manifest
        with self.database.read() as connection:
            old = _publishable(connection, course, assignment, manifest, replace=replace)
            if old is not None and _is_standing(old, manifest):
                return _release(old, {old.manifest: list(manifest.files)}), False
        stored = self._keep(bundle)
        with self.database.write() as connection:
            keep_course(connection, course, self.clock())
            connection.execute(_lock(course))
            old = _publishable(connection, course, assignment, manifest, replace=replace)
            if old is not None and _is_standing(old, manifest):
                return _release(old, {old.manifest: list(manifest.files)}), False
            self._require_stored(connection, stored)
            keep_manifest(connection, manifest)
            row = connection.execute(
                tables.release.insert().returning(*tables.release.c),
                {
                    "course": course,
                    "assignment": assignment,
                    "revision": old.revision + 1 if old is not None else 1,
                    "released_at": self.clock(),
                    "released_by": by,
                    "manifest": bundle.manifest.sha256,
                },
            ).one()
        return _release(row, {row.manifest: list(bundle.manifest.files)}), True

    def require_publishable(self, course: str, assignment: str, manifest: Manifest, *, replace: bool) -> None:
        """Raise unless this may be released. Asked before the content of an upload is read.

        Raises:
            Refused: something else is released under that name, and `replace` was not asked for.
        """
        with self.database.read() as connection:
            _publishable(connection, course, assignment, manifest, replace=replace)

    def withdraw(self, course: str, assignment: str, by: str) -> Release:
        """Take a release back: it is listed no more. Its files and what was submitted stay."""
        with self.database.write() as connection:
            row = connection.execute(_releases(course, assignment)).one_or_none()
            if row is None or row.withdrawn_at is not None:
                raise not_released(course, assignment)
            mark = {"withdrawn_at": self.clock(), "withdrawn_by": by}
            connection.execute(tables.release.update().where(tables.release.c.number == row.number).values(mark))
            return _release(row, files_of(connection, {row.manifest}))

    # ---- submissions -------------------------------------------------------------------------------

    def require_open(
        self,
        course: str,
        assignment: str,
        student: str,
        at: datetime,
        key: str = "",
        manifest: Manifest | None = None,
    ) -> None:
        """Raise unless this student may submit now, or did so with this key. Asked before an upload is read, and again
        when its manifest has come.

        Raises:
            Refused: not released, past the cut-off, too much already; or the key was used with other files.
        """
        with self.database.read() as connection:
            known = connection.execute(_of(course, assignment, student).where(tables.submission.c.key == key))
            if key and (row := known.one_or_none()) is not None:
                if manifest is not None:
                    _require_same(row, manifest)
                return
            self._require_open(connection, course, assignment, student, at, manifest)

    def _require_open(
        self,
        connection: Connection,
        course: str,
        assignment: str,
        student: str,
        at: datetime,
        manifest: Manifest | None,
    ) -> int:
        where = f"{course}/{assignment}"
        row = connection.execute(_releases(course, assignment)).one_or_none()
        if row is None or row.withdrawn_at is not None:
            raise not_released(course, assignment)
        cutoff = _policy(connection, course).policy.cutoff(assignment, student)
        if cutoff is not None and at > cutoff:
            raise Refused(
                f"{assignment} was closed at {cutoff:%Y-%m-%d %H:%M:%S %Z}; the exchange's clock says "
                f"{at:%Y-%m-%d %H:%M:%S %Z}.",
                status=403,
                where=where,
                hint="Ask the instructor for an extension.",
            )
        mine = _of(course, assignment, student).subquery()
        count = connection.execute(select(func.count()).select_from(mine)).scalar_one()
        if count >= self.quotas.submissions:
            raise Refused(
                f"{student} has submitted {assignment} {count} times, and no more is taken.",
                status=403,
                where=where,
                hint="Ask the instructor.",
            )
        self._require_room(connection, course, student, manifest)
        return int(row.number)

    def _require_room(self, connection: Connection, course: str, student: str, manifest: Manifest | None) -> None:
        submitted = select(tables.submission.c.manifest).where(
            tables.submission.c.course == course, tables.submission.c.student == student
        )
        sizes = select(tables.manifest.c.sha256, tables.manifest.c.size).where(tables.manifest.c.sha256.in_(submitted))
        kept = {row.sha256: row.size for row in connection.execute(sizes)}
        if manifest is not None:
            kept[manifest.sha256] = manifest.size
        if sum(kept.values()) > self.quotas.student_mb * MB:
            raise Refused(
                f"{student} has handed in {self.quotas.student_mb} MiB to {course}, and no more is taken.",
                status=403,
                where=course,
                hint="Hand in less data, or ask the instructor.",
            )

    def submit(self, course: str, assignment: str, student: str, bundle: Bundle, key: str) -> tuple[Submission, bool]:
        """Take a submission; and whether it is new. One sent again with the same `key` is the one that is there.

        Its time is the server's when it had been announced what would be handed in, to the byte, and later than the
        time of any that this student handed in before, whatever the clock did in between.

        Raises:
            Refused: see `require_open`. Nothing is kept then.
        """
        at = bundle.announced_at or self.clock()
        self.require_open(course, assignment, student, at, key, bundle.manifest)
        stored = self._keep(bundle)
        with self.database.write() as connection:
            if connection.execute(_lock(course)).first() is None:
                raise not_released(course, assignment)
            mine = _of(course, assignment, student)
            known = connection.execute(mine.where(tables.submission.c.key == key)).one_or_none()
            if known is not None:
                _require_same(known, bundle.manifest)
                return self._submissions(connection, [known])[0], False
            number = self._require_open(connection, course, assignment, student, at, bundle.manifest)
            last = connection.execute(mine.order_by(tables.submission.c.number.desc()).limit(1)).one_or_none()
            self._require_stored(connection, stored)
            keep_manifest(connection, bundle.manifest)
            row = connection.execute(
                tables.submission.insert().returning(*tables.submission.c),
                {
                    "id": secrets.token_hex(16),
                    "course": course,
                    "assignment": assignment,
                    "student": student,
                    "received_at": at if last is None else max(at, last.received_at + TICK),
                    "manifest": bundle.manifest.sha256,
                    "release": number,
                    "key": key,
                },
            ).one()
            if self.precheck:
                self.prechecks.queue(connection, row, _policy(connection, course).policy.precheck)
            return self._submissions(connection, [row])[0], True

    def submissions(self, course: str, assignment: str = "", student: str = "") -> list[Submission]:
        """What was submitted, oldest first."""
        query = _of(course, assignment, student)
        with self.database.read() as connection:
            rows = connection.execute(query.order_by(tables.submission.c.number)).all()
            return self._submissions(connection, rows)

    def submission(self, course: str, reference: str) -> Submission:
        """One submission by its id.

        Raises:
            Refused: there is none in this course.
        """
        query = select(tables.submission).where(
            tables.submission.c.course == course, tables.submission.c.id == reference
        )
        with self.database.read() as connection:
            row = connection.execute(query).one_or_none()
            if row is None:
                raise no_submission(course)
            return self._submissions(connection, [row])[0]

    def _submissions(self, connection: Connection, rows: Sequence[Row[Any]]) -> list[Submission]:
        returned = _feedback_of(connection, {row.number: row.id for row in rows})
        files = files_of(connection, {row.manifest for row in rows})
        policies = {course: _policy(connection, course).policy for course in {row.course for row in rows}}
        return [_submission(row, files, policies[row.course], returned.get(row.number)) for row in rows]

    def claim_precheck(self, course: str, by: str) -> PrecheckClaim | None:
        """Have a worker take on the precheck whose turn it is; None where there is none."""
        while (job := self.prechecks.next(course)) is not None:
            precheck = self.policy(course).policy.precheck
            releases = self.releases(course, job.assignment)
            if job.attempts >= ATTEMPTS:
                self.prechecks.drop(job.number, PrecheckState.FAILED)
            elif precheck is None or not releases:
                self.prechecks.drop(job.number, PrecheckState.DROPPED)
            else:
                if (leased := self.prechecks.lease(job, by, self.quotas.precheck_lease_s)) is not None:
                    submission = self.submission(course, job.reference)
                    return PrecheckClaim(submission, releases[0], list(precheck.packages), precheck.limits, leased)
        return None

    def renew_precheck(self, course: str, reference: str, lease: str, by: str) -> Lease:
        """Have the precheck of a submission for longer.

        Raises:
            Refused: it is another worker's by now, or answered for.
        """
        return self.prechecks.renew(course, reference, lease, by, self.quotas.precheck_lease_s)

    # ---- feedback ----------------------------------------------------------------------------------

    def give_feedback(self, course: str, reference: str, bundle: Bundle, by: str) -> tuple[Feedback, bool]:
        """Return feedback on a submission, as a new revision unless it stands just so; and whether it is new."""
        standing = self.submission(course, reference).feedback
        if standing is not None and standing.manifest_sha256 == bundle.manifest.sha256:
            return standing, False
        stored = self._keep(bundle)
        with self.database.write() as connection:
            connection.execute(_lock(course))
            query = select(tables.submission.c.number).where(
                tables.submission.c.course == course, tables.submission.c.id == reference
            )
            number = connection.execute(query).scalar_one_or_none()
            if number is None:
                raise no_submission(course)
            old = _feedback_of(connection, {number: reference}).get(number)
            if old is not None and old.manifest_sha256 == bundle.manifest.sha256:
                return old, False
            self._require_stored(connection, stored)
            keep_manifest(connection, bundle.manifest)
            row = connection.execute(
                tables.feedback.insert().returning(*tables.feedback.c),
                {
                    "submission": number,
                    "revision": old.revision + 1 if old is not None else 1,
                    "released_at": self.clock(),
                    "released_by": by,
                    "manifest": bundle.manifest.sha256,
                },
            ).one()
        return _feedback(row, reference, {row.manifest: list(bundle.manifest.files)}), True

    def feedback(self, course: str, reference: str) -> Feedback:
        """The newest feedback on a submission.

        Raises:
            Refused: there is none.
        """
        found = self.submission(course, reference).feedback
        if found is None:
            raise not_found("feedback on this submission", course, "It comes when the instructor releases it.")
        return found

    # ---- policy and log ----------------------------------------------------------------------------

    def policy(self, course: str) -> PolicyState:
        """Deadlines, extensions and cut-offs of a course as they stand here; revision 0 where none was ever set."""
        with self.database.read() as connection:
            return _policy(connection, course)

    def set_policy(self, course: str, policy: Policy, by: str) -> PolicyState:
        """Take over what the course file says."""
        with self.database.write() as connection:
            keep_course(connection, course, self.clock())
            connection.execute(_lock(course))
            old = _policy(connection, course)
            if old.revision and old.policy == policy:
                return old
            values = {
                "course": course,
                "revision": old.revision + 1,
                "made_at": self.clock(),
                "made_by": by,
                "content": to_json(policy),
            }
            connection.execute(tables.policy.insert(), values)
            return _policy(connection, course)

    def log_fetch(self, by: str, course: str, what: str, assignment: str, student: str, reference: str) -> None:
        """Remember that someone takes something."""
        with self.database.write() as connection:
            values = {"at": self.clock(), "by": by, "course": course, "what": what}
            values |= {"assignment": assignment, "student": student, "reference": reference}
            connection.execute(tables.fetch.insert(), values)

    def fetches(self, course: str, assignment: str = "", limit: int = 1000) -> list[Fetch]:
        """Who took what, newest first."""
        query = select(tables.fetch).where(tables.fetch.c.course == course)
        if assignment:
            query = query.where(tables.fetch.c.assignment == assignment)
        with self.database.read() as connection:
            rows = connection.execute(query.order_by(tables.fetch.c.number.desc()).limit(limit)).all()
        return [Fetch(row.at, row.by, row.what, row.assignment, row.student, row.reference) for row in rows]

    def require_ready(self) -> None:
        """Raise unless the database answers and the store takes a file."""
        with self.database.read() as connection:
            connection.execute(select(1))
        with disk_told():
            self.store.require_ready()

    # ---- content -----------------------------------------------------------------------------------

    def content(self, entry: Entry) -> Iterator[bytes]:
        """The content of a file, checked against its name while it is read."""
        return read_checked(self.store, entry.sha256)

    def submission_limit(self, course: str) -> int:
        """How many bytes one submission to this course may have."""
        wanted = self.policy(course).policy.submission_mb or self.quotas.submission_mb
        return min(wanted, self.quotas.submission_max_mb) * MB

    def _keep(self, bundle: Bundle) -> list[str]:
        """Make the content durable; which of it was there already, and so may be swept until something names it."""
        with disk_told():
            return self.store.keep(bundle.blobs)

    def _require_stored(self, connection: Connection, stored: Sequence[str]) -> None:
        """Raise unless what was there already is there still. Asked with the course's lock, which a sweep waits for."""
        loose = set(stored) - named(connection, stored)
        if any(self.store.size(sha256) is None for sha256 in loose):
            raise Refused(
                "The exchange was being swept.",
                status=503,
                where="store",
                hint="Nothing was stored. Try again.",
                retry_after_s=1,
            )


@contextmanager
def disk_told() -> Iterator[None]:
    """A full disk, told as one."""
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise storage_full() from error
        raise Refused(
            "The exchange cannot write to its store.",
            status=503,
            where="store",
            hint="Nothing was stored. Tell the instructor.",
            retry_after_s=5,
        ) from error


def not_released(course: str, assignment: str) -> Refused:
    return not_found("such assignment", f"{course}/{assignment}", "See 'nbgrader list' for what is released.")


def no_submission(course: str) -> Refused:
    return not_found("such submission", course, "Its id is in the receipt.")


def _releases(course: str, assignment: str) -> Select[Any]:
    """The newest revision of each assignment, withdrawn or not."""
    query = latest(tables.release, "course", "assignment").where(tables.release.c.course == course)
    return query.where(tables.release.c.assignment == assignment) if assignment else query


def _of(course: str, assignment: str, student: str) -> Select[Any]:
    """Submissions, of one assignment or one student where these are named."""
    query = select(tables.submission).where(tables.submission.c.course == course)
    if assignment:
        query = query.where(tables.submission.c.assignment == assignment)
    return query.where(tables.submission.c.student == student) if student else query


def _publishable(
    connection: Connection, course: str, assignment: str, manifest: Manifest, *, replace: bool
) -> Row[Any] | None:
    """The newest revision, if there is any, which this one may follow."""
    old = connection.execute(_releases(course, assignment)).one_or_none()
    if old is not None and old.withdrawn_at is None and not replace and not _is_standing(old, manifest):
        raise Refused(
            f"{assignment} is released already, with other files.",
            status=409,
            where=f"{course}/{assignment}",
            hint="To replace it, ask for that (nbgrader: --force). Students keep what they fetched.",
        )
    return old


def _is_standing(release: Row[Any], manifest: Manifest) -> bool:
    """Whether just this is released now."""
    return release.withdrawn_at is None and release.manifest == manifest.sha256


def _require_same(submission: Row[Any], manifest: Manifest) -> None:
    if submission.manifest != manifest.sha256:
        raise Refused(
            "This key was used with other files before.",
            status=409,
            where="Idempotency-Key",
            hint="Submit again with a new key.",
        )


def _lock(course: str) -> Select[Any]:
    """Those who write to one course take turns, where the database does not let one write at a time anyhow."""
    return select(tables.course.c.id).where(tables.course.c.id == course).with_for_update()


def _policy(connection: Connection, course: str) -> PolicyState:
    query = select(tables.policy).where(tables.policy.c.course == course)
    row = connection.execute(query.order_by(tables.policy.c.revision.desc()).limit(1)).one_or_none()
    if row is None:
        return PolicyState(course, 0, Policy())
    return PolicyState(course, row.revision, from_json(Policy, row.content))


def _release(row: Row[Any], files: dict[str, list[Entry]]) -> Release:
    return Release(
        course=row.course,
        assignment=row.assignment,
        revision=row.revision,
        released_at=row.released_at,
        released_by=row.released_by,
        manifest_sha256=row.manifest,
        files=files[row.manifest],
    )


def _submission(row: Row[Any], files: dict[str, list[Entry]], policy: Policy, feedback: Feedback | None) -> Submission:
    due = policy.due(row.assignment, row.student)
    return Submission(
        id=row.id,
        course=row.course,
        assignment=row.assignment,
        student=row.student,
        received_at=row.received_at,
        manifest_sha256=row.manifest,
        files=files[row.manifest],
        due_at=due,
        late=due is not None and row.received_at > due,
        feedback=feedback,
    )


def _feedback_of(connection: Connection, submissions: dict[int, str]) -> dict[int, Feedback]:
    """The newest feedback of each submission that has any."""
    rows: list[Row[Any]] = []
    for some in batches(sorted(submissions)):
        rows += connection.execute(latest(tables.feedback, "submission").where(tables.feedback.c.submission.in_(some)))
    files = files_of(connection, {row.manifest for row in rows})
    return {row.submission: _feedback(row, submissions[row.submission], files) for row in rows}


def _feedback(row: Row[Any], reference: str, files: dict[str, list[Entry]]) -> Feedback:
    return Feedback(reference, row.revision, row.released_at, row.manifest, files[row.manifest])
