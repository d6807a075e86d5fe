"""`nbgrader list`, and what the Assignment List and formgrader show: the dictionaries that they expect."""

from __future__ import annotations

import hashlib
from datetime import UTC
from itertools import groupby
from operator import attrgetter
from pathlib import Path
from typing import Any

from nbgrader.exchange.abc import ExchangeList

from tito.errors import TitoError
from tito.exchange.client.plugin.base import ServiceExchange
from tito.exchange.client.plugin.deadlines import in_a_list
from tito.exchange.client.plugin.prechecks import is_awaited, prechecks_file, write_prechecks
from tito.exchange.protocol.records import Release, Role, Submission

Info = dict[str, Any]


class List(ServiceExchange, ExchangeList):  # type: ignore[misc]
    """Lists what is released, what was submitted (`inbound`: by all, `cached`: by oneself); takes releases back."""

    of_a_student = True

    def copy_files(self) -> None:
        pass

    def list_files(self) -> list[Info]:
        if self.inbound or self.cached:
            groups = self._submitted()
            self.log.info("Submitted assignments:")
            for group in groups:
                for info in group["submissions"]:
                    self.log.info(_line(info))
            return groups
        releases = self._releases(Role.STUDENT)
        deadlines = self._deadlines({release.course for release in releases})
        infos = [
            self._released(release) | {"deadline": deadlines.get((release.course, release.assignment), "")}
            for release in releases
        ]
        self.log.info("Released assignments:")
        for info in infos:
            fetched = " (already downloaded)" if info["status"] == "fetched" else ""
            deadline = f", {info['deadline']}" if info["deadline"] else ""
            self.log.info("%s %s%s%s", info["course_id"], info["assignment_id"], fetched, deadline)
        return infos

    def remove_files(self) -> list[Info]:
        """Take releases back. Submissions are nobody's to remove."""
        if self.inbound or self.cached:
            self.fail("The exchange keeps every submission: none is removed.")
        releases = self._releases(Role.INSTRUCTOR)
        self.log.info("Removing released assignments:")
        for release in releases:
            self.remote.withdraw(release.course, release.assignment)
            self.log.info("%s %s", release.course, release.assignment)
        return [self._released(release) | {"status": "removed"} for release in releases]

    def _deadlines(self, courses: set[str]) -> dict[tuple[str, str], str]:
        """One's own, as they are read. A list that cannot have them is a list all the same."""
        try:
            return {
                (course, each.assignment): in_a_list(each)
                for course in sorted(courses)
                for each in self.remote.deadlines(course)
            }
        except TitoError as error:
            self.log.debug("No deadlines: %s", error)
            return {}

    def _releases(self, least: Role) -> list[Release]:
        releases = [release for course in self.courses(least) for release in self.remote.releases(course)]
        return [release for release in releases if self.wanted_assignment(release.assignment)]

    def _released(self, release: Release) -> Info:
        folder = self.folder_of(release.course, release.assignment)
        if folder.is_dir():
            notebooks, status, path = sorted(map(str, folder.glob("*.ipynb"))), "fetched", str(folder)
        else:
            path, status = f"{self.remote.place}/courses/{release.course}/releases/{release.assignment}", "released"
            notebooks = [f"{path}/{file.path}" for file in release.files if _is_notebook(file.path)]
        return {
            "course_id": release.course,
            "assignment_id": release.assignment,
            "status": status,
            "path": path,
            "notebooks": [{"notebook_id": Path(name).stem, "path": name} for name in notebooks],
        }

    # ---- submissions -------------------------------------------------------------------------------

    def _submitted(self) -> list[Info]:
        """Groups of one student's submissions of one assignment."""
        submissions: list[Submission] = []
        for course, role in sorted(self.remote.who().courses.items()):
            if self.coursedir.course_id not in ("", "*", course):
                continue
            everyone = self.inbound and role >= Role.TA
            mine = [] if everyone else self.remote.my_submissions(course)
            self._fetch_prechecks(mine)
            submissions += self.remote.submissions(course) if everyone else mine
        submissions = [
            submission
            for submission in submissions
            if self.wanted_assignment(submission.assignment) and self.wanted_student(submission.student)
        ]

        def key(submission: Submission) -> tuple[str, str, str]:
            return submission.course, submission.student, submission.assignment

        groups = []
        for (course, student, assignment), some in groupby(sorted(submissions, key=key), key=key):
            infos = [self._submission(submission) for submission in sorted(some, key=attrgetter("received_at"))]
            head = {"course_id": course, "student_id": student, "assignment_id": assignment, "status": "submitted"}
            groups.append(head | {"submissions": infos})
        return groups

    def _fetch_prechecks(self, mine: list[Submission]) -> None:
        """What the visible tests say of one's newest submissions, where it had not come yet. A list that cannot have it
        is a list all the same."""
        newest = {(submission.course, submission.assignment): submission for submission in mine}
        for submission in newest.values():
            path = prechecks_file(self.folder_of(submission.course, submission.assignment))
            if not is_awaited(path):
                continue
            try:
                write_prechecks(path, submission, self.remote.precheck(submission))
            except (TitoError, OSError) as error:
                self.log.debug("No precheck of %s: %s", submission.id, error)

    def _submission(self, submission: Submission) -> Info:
        folder = self.folder_of(submission.course, submission.assignment)
        pages = folder / "feedback" / submission.timestamp
        released = {file.path: file.sha256 for file in submission.feedback.files} if submission.feedback else {}
        names = [Path(file.path).stem for file in submission.files if _is_notebook(file.path)]
        notebooks = [_notebook(name, folder, pages / f"{name}.html", released.get(f"{name}.html")) for name in names]
        local = bool(notebooks) and all(info["has_local_feedback"] for info in notebooks)
        return {
            "course_id": submission.course,
            "student_id": submission.student,
            "assignment_id": submission.assignment,
            "timestamp": _with_receipt(submission) if self.show_receipts else submission.timestamp,
            "status": "submitted",
            "path": str(folder),
            "receipt": submission.receipt(),
            "notebooks": notebooks,
            "has_local_feedback": local,
            "has_exchange_feedback": bool(notebooks) and all(info["has_exchange_feedback"] for info in notebooks),
            "feedback_updated": any(info["feedback_updated"] for info in notebooks),
            "local_feedback_path": str(pages) if local else None,
        }


def _with_receipt(submission: Submission) -> str:
    """Time and receipt as a student reads them; sorts by time, as nbgrader's timestamp does."""
    late = ", LATE" if submission.late else ""
    received_at = submission.received_at.astimezone(UTC)
    return f"{received_at:%Y-%m-%d %H:%M:%S UTC}{late}. Receipt: SHA-256 {submission.receipt_sha256}"


def _notebook(name: str, folder: Path, page: Path, released: str | None) -> Info:
    local = page.is_file()
    return {
        "notebook_id": name,
        "path": str(folder / f"{name}.ipynb"),
        "has_local_feedback": local,
        "has_exchange_feedback": released is not None,
        "local_feedback_path": str(page) if local else None,
        "feedback_updated": local and released not in (None, hashlib.sha256(page.read_bytes()).hexdigest()),
    }


def _is_notebook(path: str) -> bool:
    """Those on top of the assignment's folder, as nbgrader has it."""
    return path.endswith(".ipynb") and "/" not in path


def _line(info: Info) -> str:
    line = f"{info['course_id']} {info['student_id']} {info['assignment_id']} {info['timestamp']}"
    if info["has_local_feedback"] and not info["feedback_updated"]:
        return f"{line} (feedback already fetched)"
    return f"{line} ({'feedback ready to be fetched' if info['has_exchange_feedback'] else 'no feedback available'})"
