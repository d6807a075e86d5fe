"""The exchange of one machine without a hub: the ledger, opened directly in a folder of mode 0700.

Whoever can open that folder is the operating system's user that owns it, and is trusted with all of it: they are
instructor of every course, and submit under whichever name they give. That is right for an author's laptop, for a
demo and for tests; where students are users of their own, a service stands in front of the store.
"""

from __future__ import annotations

import contextlib
import os
import secrets
from collections.abc import Iterator
from pathlib import Path

from tito.errors import ExchangeUnavailable
from tito.exchange.protocol.files import Upload, manifest_of, write_files
from tito.exchange.protocol.names import check_id, check_student
from tito.exchange.protocol.records import (
    Deadline,
    Entry,
    Feedback,
    Policy,
    PolicyState,
    Precheck,
    Release,
    Role,
    Submission,
    Who,
)
from tito.exchange.server.content import Bundle, storage_errors
from tito.exchange.server.database import Database
from tito.exchange.server.ledger import Ledger
from tito.exchange.server.quotas import Quotas
from tito.exchange.server.store import CHUNK, DirectoryStore

DATABASE_NAME = "exchange.db"
BLOBS = "blobs"


def open_local(root: Path, quotas: Quotas | None = None) -> Ledger:
    """The ledger in a folder, made where there is none.

    Raises:
        ExchangeUnavailable: the folder is another user's, or cannot be made or used.
    """
    try:
        root.mkdir(parents=True, exist_ok=True, mode=0o700)
        if root.stat().st_uid != os.getuid():
            raise ExchangeUnavailable(
                f"The exchange {root} belongs to another user.",
                hint="Only its owner may open it; others reach it through the exchange service.",
            )
        root.chmod(0o700)
        store = DirectoryStore(root / BLOBS)
    except OSError as error:
        raise ExchangeUnavailable(
            f"The exchange {root} cannot be opened: {error.strerror}.",
            hint="Correct [exchange] root in course.toml, or make that folder yours.",
        ) from error
    database = Database(f"sqlite:///{root / DATABASE_NAME}")
    database.migrate()
    return Ledger(database, store, quotas)


class LocalGateway:
    """The exchange in a folder of this user's own."""

    def __init__(self, root: Path, user: str) -> None:
        self.ledger = open_local(root)
        self.user = user
        self._root = root

    @property
    def place(self) -> str:
        return str(self._root)

    def who(self) -> Who:
        return Who(self.user, dict.fromkeys(self.ledger.courses(), Role.INSTRUCTOR))

    def releases(self, course: str, assignment: str = "") -> list[Release]:
        return self.ledger.releases(course, assignment)

    def take_release(self, release: Release, folder: Path) -> None:
        what = f"{release.course}/{release.assignment}"
        self.ledger.log_fetch(self.user, release.course, "release", release.assignment, "", str(release.revision))
        write_files(what, release.manifest_sha256, release.files, self._contents(release.files), folder)

    def publish(self, course: str, assignment: str, uploads: list[Upload], *, replace: bool) -> Release:
        check_id("course", course)
        check_id("assignment", assignment)
        with self._bundle(uploads) as bundle:
            return self.ledger.publish(course, assignment, bundle, self.user, replace=replace)[0]

    def withdraw(self, course: str, assignment: str) -> Release:
        return self.ledger.withdraw(course, assignment, self.user)

    def submit(self, course: str, assignment: str, uploads: list[Upload]) -> Submission:
        check_student(self.user)
        self.ledger.require_open(course, assignment, self.user, self.ledger.clock())
        with self._bundle(uploads) as bundle:
            return self.ledger.submit(course, assignment, self.user, bundle, secrets.token_hex(16))[0]

    def my_submissions(self, course: str, assignment: str = "") -> list[Submission]:
        return self.ledger.submissions(course, assignment, self.user)

    def submissions(self, course: str, assignment: str = "") -> list[Submission]:
        return self.ledger.submissions(course, assignment)

    def take_submission(self, submission: Submission, folder: Path) -> None:
        self._log(submission, "submission")
        files = submission.files
        write_files(f"{submission.student}'s work", submission.manifest_sha256, files, self._contents(files), folder)

    def give_feedback(self, submission: Submission, uploads: list[Upload]) -> Feedback:
        with self._bundle(uploads) as bundle:
            return self.ledger.give_feedback(submission.course, submission.id, bundle, self.user)[0]

    def take_feedback(self, submission: Submission, folder: Path) -> None:
        self._log(submission, "feedback")
        feedback = self.ledger.feedback(submission.course, submission.id)
        files = feedback.files
        write_files("The feedback", feedback.manifest_sha256, files, self._contents(files), folder)

    def policy(self, course: str) -> PolicyState:
        return self.ledger.policy(check_id("course", course))

    def deadlines(self, course: str) -> list[Deadline]:
        return self.ledger.deadlines(check_id("course", course), self.user)

    def set_policy(self, course: str, policy: Policy) -> PolicyState:
        return self.ledger.set_policy(check_id("course", course), policy, self.user)

    def precheck(self, submission: Submission) -> Precheck:
        return self.ledger.prechecks.of_submission(submission.course, submission.id)

    def close(self) -> None:
        self.ledger.close()

    def _log(self, submission: Submission, what: str) -> None:
        reference, student = submission.id, submission.student
        self.ledger.log_fetch(self.user, submission.course, what, submission.assignment, student, reference)

    def _contents(self, files: list[Entry]) -> Iterator[tuple[str, Iterator[bytes]]]:
        return ((entry.path, self.ledger.content(entry)) for entry in files)

    @contextlib.contextmanager
    def _bundle(self, uploads: list[Upload]) -> Iterator[Bundle]:
        bundle = Bundle(manifest_of(uploads))
        try:
            with storage_errors():
                for upload in uploads:
                    blob = self.ledger.store.incoming()
                    bundle.blobs.append(blob)
                    while data := upload.content.read(CHUNK):
                        blob.write(data)
            yield bundle
        finally:
            bundle.discard()
