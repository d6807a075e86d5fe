"""The exchange itself: every rule of releasing, submitting and returning, but for who may do what.

The routes of the service call it, and so does the gateway of a machine without a hub. Content is made durable first,
then one transaction says what it is: whoever gets an answer can rely on it, and what was stopped half-way is not there.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, func, select

from tito.exchange.protocol.problems import Refused, not_found
from tito.exchange.protocol.records import (
    Deadline,
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
from tito.exchange.server.content import Bundle, keep_content, require_stored, storage_errors
from tito.exchange.server.database import Database
from tito.exchange.server.policies import deadline_of, policy_of, revise_policy
from tito.exchange.server.prechecks import ATTEMPTS, PrecheckQueue
from tito.exchange.server.quotas import MB, Quotas, require_room
from tito.exchange.server.releases import is_standing, newest_releases, not_released, publishable, release_record
from tito.exchange.server.rows import files_of, keep_course, keep_manifest, lock_of
from tito.exchange.server.store import BlobStore, read_checked
from tito.exchange.server.submissions import (
    feedback_record,
    newest_feedback,
    no_submission,
    require_same,
    submission_record,
    submissions_of,
)

TICK = timedelta(microseconds=1)


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
        """With `precheck`, submissions to a course that wants it are queued for a precheck: where a service stands
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
            rows = connection.execute(newest_releases(course, assignment)).all()
            files = files_of(connection, {row.manifest for row in rows})
        return [release_record(row, files) for row in rows if row.withdrawn_at is None]

    def release(self, course: str, assignment: str) -> Release:
        """One assignment's newest revision.

        Raises:
            Refused: it is not released, or was withdrawn.
        """
        releases = self.releases(course, assignment)
        if not releases:
            raise not_released(course, assignment)
        return releases[0]

    def publish(self, course: str, assignment: str, bundle: Bundle, by: str, *, replace: bool) -> tuple[Release, bool]:
        """Release an assignment, as a new revision unless it stands released just so; and whether it is new.

        Raises:
            Refused: see `require_publishable`.
        """
        manifest = bundle.manifest
        with self.database.read() as connection:
            old = publishable(connection, course, assignment, manifest, replace=replace)
            if old is not None and is_standing(old, manifest):
                return release_record(old, {old.manifest: list(manifest.files)}), False
        stored = keep_content(self.store, bundle)
        with self.database.write() as connection:
            keep_course(connection, course, self.clock())
            connection.execute(lock_of(course))
            old = publishable(connection, course, assignment, manifest, replace=replace)
            if old is not None and is_standing(old, manifest):
                return release_record(old, {old.manifest: list(manifest.files)}), False
            require_stored(self.store, connection, stored)
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
        return release_record(row, {row.manifest: list(bundle.manifest.files)}), True

    def require_publishable(self, course: str, assignment: str, manifest: Manifest, *, replace: bool) -> None:
        """Raise unless this may be released. Asked before the content of an upload is read.

        Raises:
            Refused: something else is released under that name, and `replace` was not asked for.
        """
        with self.database.read() as connection:
            publishable(connection, course, assignment, manifest, replace=replace)

    def withdraw(self, course: str, assignment: str, by: str) -> Release:
        """Take a release back: it is listed no more. Its files and what was submitted stay."""
        with self.database.write() as connection:
            row = connection.execute(newest_releases(course, assignment)).one_or_none()
            if row is None or row.withdrawn_at is not None:
                raise not_released(course, assignment)
            mark = {"withdrawn_at": self.clock(), "withdrawn_by": by}
            connection.execute(tables.release.update().where(tables.release.c.number == row.number).values(mark))
            return release_record(row, files_of(connection, {row.manifest}))

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
            known = connection.execute(
                submissions_of(course, assignment, student).where(tables.submission.c.key == key)
            )
            if key and (row := known.one_or_none()) is not None:
                if manifest is not None:
                    require_same(row, manifest)
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
        row = connection.execute(newest_releases(course, assignment)).one_or_none()
        if row is None or row.withdrawn_at is not None:
            raise not_released(course, assignment)
        cutoff = policy_of(connection, course).policy.cutoff(assignment, student)
        if cutoff is not None and at > cutoff:
            raise Refused(
                f"{assignment} was closed at {cutoff:%Y-%m-%d %H:%M:%S %Z}; the exchange's clock says "
                f"{at:%Y-%m-%d %H:%M:%S %Z}.",
                status=403,
                where=where,
                hint="Ask the instructor for an extension.",
            )
        mine = submissions_of(course, assignment, student).subquery()
        count = connection.execute(select(func.count()).select_from(mine)).scalar_one()
        if count >= self.quotas.submissions:
            raise Refused(
                f"{student} has submitted {assignment} {count} times, and no more is taken.",
                status=403,
                where=where,
                hint="Ask the instructor.",
            )
        require_room(connection, self.quotas, course, student, manifest)
        return int(row.number)

    def submit(self, course: str, assignment: str, student: str, bundle: Bundle, key: str) -> tuple[Submission, bool]:
        """Take a submission; and whether it is new. One sent again with the same `key` is the one that is there.

        Its time is the server's when it had been announced what would be handed in, to the byte, and later than the
        time of any that this student handed in before, whatever the clock did in between.

        Raises:
            Refused: see `require_open`. Nothing is kept then.
        """
        at = bundle.announced_at or self.clock()
        self.require_open(course, assignment, student, at, key, bundle.manifest)
        stored = keep_content(self.store, bundle)
        with self.database.write() as connection:
            if connection.execute(lock_of(course)).first() is None:
                raise not_released(course, assignment)
            mine = submissions_of(course, assignment, student)
            known = connection.execute(mine.where(tables.submission.c.key == key)).one_or_none()
            if known is not None:
                require_same(known, bundle.manifest)
                return self._submissions(connection, [known])[0], False
            number = self._require_open(connection, course, assignment, student, at, bundle.manifest)
            last = connection.execute(mine.order_by(tables.submission.c.number.desc()).limit(1)).one_or_none()
            require_stored(self.store, connection, stored)
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
                self.prechecks.queue(connection, row, policy_of(connection, course).policy.precheck)
            return self._submissions(connection, [row])[0], True

    def submissions(self, course: str, assignment: str = "", student: str = "") -> list[Submission]:
        """What was submitted, oldest first."""
        query = submissions_of(course, assignment, student)
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
        returned = newest_feedback(connection, {row.number: row.id for row in rows})
        files = files_of(connection, {row.manifest for row in rows})
        policies = {course: policy_of(connection, course).policy for course in {row.course for row in rows}}
        return [submission_record(row, files, policies[row.course], returned.get(row.number)) for row in rows]

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
                    return PrecheckClaim(
                        submission, releases[0], list(precheck.packages), precheck.limits, leased, precheck.files
                    )
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
        stored = keep_content(self.store, bundle)
        with self.database.write() as connection:
            connection.execute(lock_of(course))
            query = select(tables.submission.c.number).where(
                tables.submission.c.course == course, tables.submission.c.id == reference
            )
            number = connection.execute(query).scalar_one_or_none()
            if number is None:
                raise no_submission(course)
            old = newest_feedback(connection, {number: reference}).get(number)
            if old is not None and old.manifest_sha256 == bundle.manifest.sha256:
                return old, False
            require_stored(self.store, connection, stored)
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
        return feedback_record(row, reference, {row.manifest: list(bundle.manifest.files)}), True

    def feedback(self, course: str, reference: str) -> Feedback:
        """The newest feedback on a submission.

        Raises:
            Refused: there is none.
        """
        feedback = self.submission(course, reference).feedback
        if feedback is None:
            raise not_found("feedback on this submission", course, "It comes when the instructor releases it.")
        return feedback

    # ---- policy and log ----------------------------------------------------------------------------

    def policy(self, course: str) -> PolicyState:
        """Deadlines, extensions and cut-offs of a course as they stand here; revision 0 where none was ever set."""
        with self.database.read() as connection:
            return policy_of(connection, course)

    def deadlines(self, course: str, student: str) -> list[Deadline]:
        """A student's own deadlines of what is released, and what comes of handing it in now."""
        now, policy = self.clock(), self.policy(course).policy
        newest = {each.assignment: each.received_at for each in self.submissions(course, "", student)}
        return [deadline_of(policy, each.assignment, student, newest, now) for each in self.releases(course)]

    def set_policy(self, course: str, policy: Policy, by: str) -> PolicyState:
        """Take over what the course file says."""
        with self.database.write() as connection:
            keep_course(connection, course, self.clock())
            connection.execute(lock_of(course))
            return revise_policy(connection, course, policy, by, self.clock())

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
        with storage_errors():
            self.store.require_ready()

    # ---- content -----------------------------------------------------------------------------------

    def content(self, entry: Entry) -> Iterator[bytes]:
        """The content of a file, checked against its name while it is read."""
        return read_checked(self.store, entry.sha256)

    def submission_limit(self, course: str) -> int:
        """How many bytes one submission to this course may have."""
        wanted = self.policy(course).policy.submission_mb or self.quotas.submission_mb
        return min(wanted, self.quotas.submission_max_mb) * MB
