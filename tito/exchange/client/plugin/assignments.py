"""`nbgrader release_assignment` and `nbgrader fetch_assignment`."""

from __future__ import annotations

import os
from pathlib import Path

from nbgrader.exchange.abc import ExchangeFetchAssignment, ExchangeReleaseAssignment
from nbgrader.utils import ignore_patterns

from tito.exchange.client.plugin.base import ServiceExchange, copy_missing
from tito.exchange.protocol.files import folder_files, snapshot


class ReleaseAssignment(ServiceExchange, ExchangeReleaseAssignment):  # type: ignore[misc]
    """Puts release/<assignment> into the exchange; with `force` as a new revision over an older one."""

    def init_src(self) -> None:
        folders = self.coursedir
        self.src_path = folders.format_path(folders.release_directory, ".", self.assignment)
        if not Path(self.src_path).is_dir():
            source = folders.format_path(folders.source_directory, ".", self.assignment)
            if Path(source).is_dir():
                self.fail(
                    f"Assignment found in '{source}' but not '{self.src_path}', "
                    "run `nbgrader generate_assignment` first."
                )
            self.fail(f"Assignment not found at: {self.src_path}")

    def copy_files(self) -> None:
        ignored = ignore_patterns(exclude=self.coursedir.ignore, include=self.coursedir.include, log=self.log)
        files = folder_files(Path(self.src_path), ignored, self._left_out)
        self.log.info("Source: %s", self.src_path)
        self.log.info("Destination: %s", self.remote.place)
        with snapshot(files) as uploads:
            release = self.remote.publish(self.course, self.assignment, uploads, replace=self.force)
        self.send_policy()
        self.log.info("Released as: %s %s (revision %d)", release.course, release.assignment, release.revision)

    def _left_out(self, path: str, why: str) -> None:
        self.log.warning("Not released: %s, because %s", path, why)


class FetchAssignment(ServiceExchange, ExchangeFetchAssignment):  # type: ignore[misc]
    """Brings an assignment to the student, whole or not at all."""

    of_a_student = True

    def init_dest(self) -> None:
        self.dest_path = str(self.folder_of(self.course, self.assignment))
        if Path(self.dest_path).is_dir() and not self.replace_missing_files:
            shown = os.path.relpath(self.dest_path, Path(self.assignment_dir).absolute())
            self.fail(f"You already have a copy of the assignment in this directory: {shown}")

    def copy_files(self) -> None:
        releases = self.remote.releases(self.course, self.assignment)
        if not releases:
            self._tell_what_there_is()
        self.log.info("Source: %s", self.remote.place)
        self.log.info("Destination: %s", self.dest_path)
        target = Path(self.dest_path)
        with self.scratch(target.parent) as scratch:
            fresh = scratch / "fresh"
            fresh.mkdir()
            self.remote.take_release(releases[0], fresh)
            if target.is_dir():
                for path in copy_missing(fresh, target):
                    self.log.warning("Replacing missing file '%s'", path)
            else:
                self.put_in_place(fresh, target, scratch)
        self.log.info("Fetched as: %s %s", self.course, self.assignment)

    def _tell_what_there_is(self) -> None:
        released = ", ".join(release.assignment for release in self.remote.releases(self.course)) or "nothing"
        self.fail(f"Assignment not found: {self.assignment}. Released in {self.course}: {released}.")
