"""What the notebooks of an assignment run with, and a sandbox that is started on it before anything else is known.

Imports nothing that takes long: a sandbox takes half a second to be ready, in which the grading is planned.
"""

from __future__ import annotations

from dataclasses import replace

from tito.course import Assignment, Course
from tito.sandbox.session import Backend, Sandbox, Workplace


def workplace(course: Course, assignment: Assignment) -> Workplace:
    """What a session finds, but for what is imported ahead: as the built source folder is now."""
    folder = course.step("source", assignment.id)
    found = sorted(folder.iterdir()) if folder.is_dir() else []
    files = tuple((path, path.name) for path in found if path.suffix != ".ipynb")
    return Workplace(files, course.sandbox.packages, limits=course.limits)


class Headstart:
    """A sandbox that will fit if the source turns out to be as it was when it was built last."""

    def __init__(self, course: Course, assignment: Assignment, backend: Backend) -> None:
        """Start it.

        Raises:
            SandboxUnavailable: it cannot be started.
        """
        self._folder = course.step("source", assignment.id)
        self._backend = backend
        self._place = workplace(course, assignment)
        self._identity = self._folder_number()
        self._sandbox = Sandbox(backend, self._place, warm=False)
        self._used = False

    def sandbox(self, place: Workplace) -> Sandbox:
        """The sandbox for `place`, which imports what is to be imported: the one that was started, or another.

        Raises:
            SandboxUnavailable: another cannot be started.
        """
        if (replace(place, warm=(), guarded=True), self._folder_number()) != (self._place, self._identity):
            self._sandbox.close(at_once=True)
            self._sandbox = Sandbox(self._backend, place, warm=False)
        self._sandbox.warm(place)
        self._used = True
        return self._sandbox

    def close(self) -> None:
        """End the sandbox. One that was not used has no sessions to be waited for."""
        self._sandbox.close(at_once=not self._used)

    def _folder_number(self) -> int:
        """Another one when the folder was replaced by a folder that was there beside it."""
        return self._folder.stat().st_ino if self._folder.is_dir() else 0
