"""`nbgrader release_feedback` and `nbgrader fetch_feedback`."""

from __future__ import annotations

import glob
import re
from datetime import UTC, datetime
from pathlib import Path

from nbgrader.exchange.abc import ExchangeFetchFeedback, ExchangeReleaseFeedback
from nbgrader.utils import parse_utc

from tito.exchange.client.plugin.base import ANYBODY, ServiceExchange
from tito.exchange.protocol.files import snapshot
from tito.exchange.protocol.records import Submission


class ReleaseFeedback(ServiceExchange, ExchangeReleaseFeedback):  # type: ignore[misc]
    """Returns the pages in feedback/<student>/<assignment> to whoever handed that very submission in."""

    def copy_files(self) -> None:
        page_folders = self._folders()
        if not page_folders:
            self.log.warning("There is no feedback on '%s' to release", self.assignment)
            return
        submitted = {
            (submission.student, submission.received_at): submission
            for submission in self.remote.submissions(self.course, self.assignment)
        }
        refused = []
        for student, folder in page_folders.items():
            submission = self._submission(student, folder, submitted)
            if submission is None:
                refused.append(student)
                continue
            with snapshot((page.name, page) for page in sorted(folder.glob("*.html"))) as uploads:
                self.remote.give_feedback(submission, uploads)
            self.log.info("Feedback released: %s %s (%s)", student, self.assignment, submission.timestamp)
        if refused:
            self.fail(f"No feedback was released to: {', '.join(refused)}. See the log for the reasons.")

    def _folders(self) -> dict[str, Path]:
        """Folders with pages, by student."""
        folders = self.coursedir
        directory, wanted = folders.feedback_directory, folders.student_id
        pattern = re.compile(folders.format_path(directory, "(?P<student>[^/]*)", self.assignment, escape=True))
        excluded = set(folders.student_id_exclude.split(",")) if folders.student_id_exclude else set()
        page_folders = {}
        where = folders.format_path(directory, "*" if wanted in ANYBODY else wanted, self.assignment)
        for name in sorted(glob.glob(where)):  # noqa: PTH207  (nbgrader makes an absolute pattern)
            match = pattern.fullmatch(name)
            if match and match["student"] not in excluded and any(Path(name).glob("*.html")):
                page_folders[match["student"]] = Path(name)
        return page_folders

    def _submission(
        self, student: str, folder: Path, submitted: dict[tuple[str, datetime], Submission]
    ) -> Submission | None:
        """The submission that a folder of pages is about: that of its time, not a newer one."""
        try:
            when = parse_utc((folder / "timestamp.txt").read_text(encoding="utf-8").strip()).replace(tzinfo=UTC)
        except (OSError, ValueError):
            self.log.error("%s: %s does not say which submission it is about", student, folder)
            return None
        submission = submitted.get((student, when))
        if submission is None:
            self.log.error("%s: the exchange has no submission of %s", student, when)
        return submission


class FetchFeedback(ServiceExchange, ExchangeFetchFeedback):  # type: ignore[misc]
    """Brings feedback to <assignment>/feedback/<time of the submission>/."""

    of_a_student = True

    def copy_files(self) -> None:
        self.require_self()
        fetched = 0
        for submission in self.remote.my_submissions(self.course):
            if submission.feedback is None or not self.wanted_assignment(submission.assignment):
                continue
            target = self.folder_of(self.course, submission.assignment) / "feedback" / submission.timestamp
            with self.scratch(target.parent) as scratch:
                fresh = scratch / "fresh"
                fresh.mkdir()
                self.remote.take_feedback(submission, fresh)
                self.put_in_place(fresh, target, scratch)
            self.log.info("Fetched feedback: %s", target)
            fetched += 1
        if not fetched:
            self.log.warning("There is no feedback yet on '%s' in course '%s'", self.assignment or "*", self.course)
