"""`nbgrader list`, and what the Assignment List and formgrader show: the dictionaries that they expect."""

from __future__ import annotations

import hashlib
from datetime import UTC
from itertools import groupby
from pathlib import Path
from typing import Any

from nbgrader.exchange.abc import ExchangeList

from tito.errors import TitoError
from tito.exchange.client.plugin.base import ServiceExchange
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
        found = [self._released(one) for one in self._releases(Role.STUDENT)]
        self.log.info("Released assignments:")
        for info in found:
            fetched = " (already downloaded)" if info["status"] == "fetched" else ""
            self.log.info("%s %s%s", info["course_id"], info["assignment_id"], fetched)
        return found

    def remove_files(self) -> list[Info]:
        """Take releases back. Submissions are nobody's to remove."""
        if self.inbound or self.cached:
            self.fail("The exchange keeps every submission: none is removed.")
        found = self._releases(Role.INSTRUCTOR)
        self.log.info("Removing released assignments:")
        for one in found:
            self.remote.withdraw(one.course, one.assignment)
            self.log.info("%s %s", one.course, one.assignment)
        return [self._released(one) | {"status": "removed"} for one in found]

    def _releases(self, least: Role) -> list[Release]:
        found = [one for course in self.courses(least) for one in self.remote.releases(course)]
        return [one for one in found if self.wanted_assignment(one.assignment)]

    def _released(self, one: Release) -> Info:
        folder = self.folder_of(one.course, one.assignment)
        if folder.is_dir():
            notebooks, status, path = sorted(map(str, folder.glob("*.ipynb"))), "fetched", str(folder)
        else:
            path, status = f"{self.remote.place}/courses/{one.course}/releases/{one.assignment}", "released"
            notebooks = [f"{path}/{file.path}" for file in one.files if _is_notebook(file.path)]
        return {
            "course_id": one.course,
            "assignment_id": one.assignment,
            "status": status,
            "path": path,
            "notebooks": [{"notebook_id": Path(name).stem, "path": name} for name in notebooks],
        }

    # ---- submissions -------------------------------------------------------------------------------

    def _submitted(self) -> list[Info]:
        """Groups of one student's submissions of one assignment."""
        found: list[Submission] = []
        for course, role in sorted(self.remote.who().courses.items()):
            if self.coursedir.course_id not in ("", "*", course):
                continue
            everyone = self.inbound and role >= Role.TA
            mine = [] if everyone else self.remote.my_submissions(course)
            self._fetch_prechecks(mine)
            found += self.remote.submissions(course) if everyone else mine
        found = [one for one in found if self.wanted_assignment(one.assignment) and self.wanted_student(one.student)]

        def key(one: Submission) -> tuple[str, str, str]:
            return one.course, one.student, one.assignment

        groups = []
        for (course, student, assignment), some in groupby(sorted(found, key=key), key=key):
            infos = [self._submission(one) for one in sorted(some, key=lambda one: one.received_at)]
            head = {"course_id": course, "student_id": student, "assignment_id": assignment, "status": "submitted"}
            groups.append(head | {"submissions": infos})
        return groups

    def _fetch_prechecks(self, mine: list[Submission]) -> None:
        """What the visible tests say of one's newest submissions, where it had not come yet. A list that cannot have it
        is a list all the same."""
        for (_, assignment), one in {(one.course, one.assignment): one for one in mine}.items():
            path = prechecks_file(self.folder_of(one.course, assignment))
            if not is_awaited(path):
                continue
            try:
                write_prechecks(path, one, self.remote.precheck(one))
            except (TitoError, OSError) as error:
                self.log.debug("No precheck of %s: %s", one.id, error)

    def _submission(self, one: Submission) -> Info:
        folder = self.folder_of(one.course, one.assignment)
        pages = folder / "feedback" / one.timestamp
        released = {file.path: file.sha256 for file in one.feedback.files} if one.feedback else {}
        names = [Path(file.path).stem for file in one.files if _is_notebook(file.path)]
        notebooks = [_notebook(name, folder, pages / f"{name}.html", released.get(f"{name}.html")) for name in names]
        local = bool(notebooks) and all(info["has_local_feedback"] for info in notebooks)
        return {
            "course_id": one.course,
            "student_id": one.student,
            "assignment_id": one.assignment,
            "timestamp": _with_receipt(one) if self.show_receipts else one.timestamp,
            "status": "submitted",
            "path": str(folder),
            "receipt": one.receipt(),
            "notebooks": notebooks,
            "has_local_feedback": local,
            "has_exchange_feedback": bool(notebooks) and all(info["has_exchange_feedback"] for info in notebooks),
            "feedback_updated": any(info["feedback_updated"] for info in notebooks),
            "local_feedback_path": str(pages) if local else None,
        }


def _with_receipt(one: Submission) -> str:
    """Time and receipt as a student reads them; sorts by time, as nbgrader's timestamp does."""
    late = ", LATE" if one.late else ""
    return f"{one.received_at.astimezone(UTC):%Y-%m-%d %H:%M:%S UTC}{late}. Receipt: SHA-256 {one.manifest_sha256}"


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
