"""`nbgrader submit` and `nbgrader collect`: the two ends of a receipt."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from datetime import UTC
from pathlib import Path

from nbgrader.api import Gradebook, MissingEntry
from nbgrader.exchange.abc import ExchangeCollect, ExchangeSubmit
from nbgrader.utils import ignore_patterns
from traitlets import Float, Integer
from traitlets.config import Application

from tito.course.submission_files import RECEIPT, TIMESTAMP
from tito.errors import TitoError
from tito.exchange.client.plugin.base import ServiceExchange, newest
from tito.exchange.client.plugin.deadlines import warning
from tito.exchange.client.plugin.prechecks import (
    RECEIPTS,
    looked_for,
    prechecks_file,
    summary,
    write_prechecks,
    write_when_known,
)
from tito.exchange.protocol.files import folder_files, snapshot
from tito.exchange.protocol.names import RESERVED
from tito.exchange.protocol.records import TIMESTAMP_FORMAT, PrecheckState, Submission


class Submit(ServiceExchange, ExchangeSubmit):  # type: ignore[misc]
    """Hands an assignment in, and keeps the receipt beside it."""

    of_a_student = True

    max_submission_mb = Integer(
        500, help="Nothing larger is even read; the exchange's own limit is usually lower."
    ).tag(config=True)

    precheck_wait_s = Float(
        10.0,
        help="How long a command waits for the visible tests, where the course has them run on submit; they come later "
        "too. A server waits for nothing.",
    ).tag(config=True)

    def init_src(self) -> None:
        self.require_self()
        folder = self.folder_of(self.course, self.assignment)
        self.src_path = str(folder)
        self.coursedir.assignment_id = folder.name
        if not folder.is_dir():
            self.fail(f"Assignment not found at: {self.src_path}")

    def warning(self) -> str:
        """What one is to know before handing this in now, "" where there is nothing; nothing is handed in."""
        try:
            deadlines = self.remote.deadlines(self.course)
            return next((warning(each) for each in deadlines if each.assignment == self.assignment), "")
        except TitoError as error:
            self.log.debug("No deadline: %s", error)  # submitting says what is wrong
            return ""
        finally:
            self.close()

    def copy_files(self) -> None:
        files = folder_files(Path(self.src_path), self._ignored, self._left_out)
        self._check_notebooks([path for path, _ in files])
        if sum(source.stat().st_size for _, source in files) > self.max_submission_mb << 20:
            self.fail(
                f"{self.src_path} holds more than {self.max_submission_mb} MiB. Take out what is not to be graded."
            )
        self.log.info("Source: %s", self.src_path)
        self.log.info("Destination: %s", self.remote.place)
        with snapshot(files) as uploads:
            submission = self.remote.submit(self.course, self.assignment, uploads)
        self.timestamp = submission.timestamp
        self._tell(submission)
        self._keep_receipt(submission)
        self._show_precheck(submission)

    def _ignored(self, folder: str, names: list[str]) -> Iterable[str]:
        """What nbgrader ignores, and what belongs to the exchange. Never a file for its size: that would be silent."""
        usual = ignore_patterns(exclude=self.coursedir.ignore, include=self.coursedir.include, log=self.log)
        ours = [name for name in names if name.casefold() in RESERVED] if Path(folder) == Path(self.src_path) else []
        return [*usual(folder, names), *ours]

    def _left_out(self, path: str, why: str) -> None:
        self.log.warning("Not handed in: %s, because %s", path, why)

    def _check_notebooks(self, paths: list[str]) -> None:
        """Compare with the notebooks that were released, as nbgrader does."""
        released = self.remote.releases(self.course, self.assignment)
        if not released:
            self.fail(f"Assignment not found: {self.assignment}. It is not released in {self.course}.")
        wanted = {entry.path for entry in released[0].files if entry.path.endswith(".ipynb")}
        notebooks = {path for path in paths if path.endswith(".ipynb")}
        missing, extra = sorted(wanted - notebooks), sorted(notebooks - wanted)
        if missing and self.strict:
            self.fail(f"Assignment {self.assignment} not submitted. Missing notebooks: {', '.join(missing)}")
        if missing or extra:
            self.log.warning(
                "Possible missing notebooks and/or extra notebooks submitted for assignment %s: missing %s; extra %s",
                self.assignment,
                ", ".join(missing) or "none",
                ", ".join(extra) or "none",
            )

    def _tell(self, submission: Submission) -> None:
        self.log.info("Submitted as: %s %s %s", submission.course, submission.assignment, submission.timestamp)
        self.log.info(
            "Receipt: submission %s, %d files, SHA-256 %s",
            submission.id,
            len(submission.files),
            submission.receipt_sha256,
        )
        if submission.due_at is not None:
            due = submission.due_at.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
            self.log.info("It was due %s: this is %s.", due, "LATE" if submission.late else "in time")

    def _keep_receipt(self, submission: Submission) -> None:
        """Beside the files. The submission is taken, whatever becomes of this, and it is not told as failed."""
        folder = Path(self.src_path) / RECEIPTS
        when = submission.received_at.astimezone(UTC)
        path = folder / f"{when:%Y-%m-%dT%H-%M-%S.%fZ}.json"
        page = self._page()
        link = {"page": page} if page else {}
        try:
            folder.mkdir(exist_ok=True)
            path.write_text(json.dumps(submission.receipt() | link, indent=1) + "\n", encoding="utf-8")
        except OSError as error:
            self.log.warning("It was handed in, but the receipt cannot be kept in %s: %s", folder, error.strerror)
        else:
            self.log.info("The receipt is kept in %s", os.path.relpath(path))
        if page:
            self.log.info("In a browser, all that you handed in: %s", page)

    def _page(self) -> str:
        try:
            return self.page()
        except TitoError as error:
            self.log.debug("No page: %s", error)
            return ""

    def _show_precheck(self, submission: Submission) -> None:
        """Where the course has prechecks, and an exchange that makes them: what the visible tests say. Handed in
        is handed in, whatever becomes of this."""
        if not self.url:
            return
        if isinstance(self.parent, Application):
            self._wait_for_precheck(submission)
        else:  # a student's server, called by the Assignment List
            write_when_known(self.another_gateway(), submission, prechecks_file(Path(self.src_path)), self.log)

    def _wait_for_precheck(self, submission: Submission) -> None:
        """Tell it on the command line, if it comes in a few seconds, and keep it."""
        try:
            precheck = looked_for(self.remote, submission, self.precheck_wait_s)
        except TitoError as error:
            self.log.debug("No precheck: %s", error)  # also of an exchange that knows of none
            return
        if precheck.state is PrecheckState.OFF:
            return
        for line in summary(precheck):
            self.log.info(line)
        path = prechecks_file(Path(self.src_path))
        try:
            write_prechecks(path, submission, precheck)
        except OSError as error:
            self.log.warning("What the tests say cannot be kept in %s: %s", path, error.strerror)
        else:
            self.log.info("What the visible tests say is kept in %s", os.path.relpath(path))


class Collect(ServiceExchange, ExchangeCollect):  # type: ignore[misc]
    """Brings submissions in, each checked against its receipt. Identity is the hub's: no file's owner matters.

    One that cannot be collected leaves what was collected before as it was, and does not keep others from it.
    """

    def init_src(self) -> None:
        self.send_policy()
        submissions = [
            submission
            for submission in self.remote.submissions(self.course, self.assignment)
            if self.wanted_student(submission.student)
        ]
        self.src_records = newest(submissions)
        if self.before_duedate:
            self.src_records |= newest([submission for submission in submissions if not self._late(submission)])

    def _late(self, submission: Submission) -> bool:
        """By the policy that the exchange has; where that knows of no deadline, by the gradebook that the command
        names, which may be another one than the course's."""
        if submission.due_at is not None:
            return submission.late
        with Gradebook(self.coursedir.db_url, self.coursedir.course_id) as opened:
            try:
                due = opened.find_assignment(self.assignment).duedate
            except MissingEntry:
                due = None
        return due is not None and submission.received_at > due.replace(tzinfo=UTC)

    def copy_files(self) -> None:
        if not self.src_records:
            self.log.warning("No submissions of '%s' for course '%s' to collect", self.assignment, self.course)
            return
        self.log.info(
            "Processing %d submissions of '%s' for course '%s'", len(self.src_records), self.assignment, self.course
        )
        refused: list[str] = []
        self.replaced = 0
        for student, submission in sorted(self.src_records.items()):
            try:
                self._collect(student, submission)
            except TitoError as error:
                self.log.error("NOT collected: %s %s: %s", student, self.assignment, error)
                refused.append(student)
        self.log.info("%d submissions were replaced by newer ones", self.replaced)
        if refused:
            self.fail(f"Not collected: {', '.join(refused)}. All others were; see the log for the reasons.")

    def _collect(self, student: str, submission: Submission) -> None:
        folders = self.coursedir
        target = Path(folders.format_path(folders.submitted_directory, student, self.assignment))
        if target.is_dir():
            old = folders.get_existing_timestamp(str(target))
            fresh_at = submission.received_at.astimezone(UTC).replace(tzinfo=None)
            newer = self.update and (old is None or fresh_at > old)
            if not newer and not (self.before_duedate and old != fresh_at):
                what = "No newer submission to collect" if self.update else "Submission already exists, use --update"
                self.log.info("%s: %s %s", what, student, self.assignment)
                return
            self.log.info("Updating submission: %s %s", student, self.assignment)
        else:
            self.log.info("Collecting submission: %s %s", student, self.assignment)
        target.parent.mkdir(parents=True, exist_ok=True)
        with self.scratch(target.parent.parent) as scratch:
            fresh = scratch / "fresh"
            fresh.mkdir()
            self.remote.take_submission(submission, fresh)
            (fresh / TIMESTAMP).write_text(
                submission.received_at.astimezone(UTC).strftime(TIMESTAMP_FORMAT), encoding="utf-8"
            )
            (fresh / RECEIPT).write_text(json.dumps(submission.receipt(), indent=1) + "\n", encoding="utf-8")
            is_new = not target.is_dir()
            self.put_in_place(fresh, target, scratch)
            self.replaced += not is_new
