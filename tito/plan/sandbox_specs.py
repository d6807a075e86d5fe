"""What the notebooks of an assignment run with, and sandboxes that are started on it before anything else is known.

Imports nothing that takes long: a sandbox takes half a second to be ready, in which the grading is planned.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from fnmatch import fnmatch
from pathlib import Path
from typing import NamedTuple

from tito.course.course import Assignment, Course
from tito.sandbox.launch import Backend
from tito.sandbox.spec import SandboxSpec
from tito.sandbox.zygote_client import Sandbox, ZygoteClient

DATABASES = (".db", ".sqlite", ".sqlite3")
JUDGE_MEMORY_MB = 2048
JUDGE_PACKAGES = ("nbformat", "numpy")  # beside those of the notebooks
JUDGE_ROLE = "tito.judge.role"
JUDGE_TIME_S = 3600.0  # of processor time in all; each answer has its own limit


def notebook_spec(course: Course, assignment: Assignment) -> SandboxSpec:
    """What a session finds, but for what is imported ahead: as the built source folder is now."""
    folder = course.step("source", assignment.id)
    entries = sorted(folder.iterdir()) if folder.is_dir() else []
    files = tuple(
        (path, path.name)
        for path in entries
        if path.suffix != ".ipynb" and not any(fnmatch(path.name, pattern) for pattern in course.ignored)
    )
    staged = tuple(path.name for path in entries if path.name == course.package and not _holds_database(path))
    staged = staged if assignment.script is not None and course.reference is not None else ()
    return SandboxSpec(
        files, course.sandbox.packages, limits=course.limits, staged=staged, copied_mb=course.files.copied_mb
    )


def _holds_database(package: Path) -> bool:
    """Whether there is more in it than modules and what they read."""
    return any(path.suffix in DATABASES for path in package.rglob("*"))


def files_of(spec: SandboxSpec) -> Iterator[tuple[str, Path]]:
    """All files that a session finds, in their order, by the names that they have there: each with what it is here."""
    for top, name in spec.files:
        for file in sorted(top.rglob("*")) if top.is_dir() else [top]:
            if file.is_file():
                yield f"{name}/{file.relative_to(top)}", file


def own_bytes(spec: SandboxSpec) -> int:
    """The size of the files that each session would have of its own."""
    own = replace(spec, files=tuple(entry for entry in spec.files if entry[1] not in spec.staged))
    return sum(file.stat().st_size for _, file in files_of(own))


def judge_spec(spec: SandboxSpec) -> SandboxSpec:
    """The sandbox of judges, beside notebooks that have `spec`: all of the platform is in it, and all files are each
    judge's own."""
    limits = replace(spec.limits, memory_mb=JUDGE_MEMORY_MB, notebook_timeout_s=JUDGE_TIME_S)
    packages = (*spec.packages, *(name for name in JUDGE_PACKAGES if name not in spec.packages))
    return replace(
        spec, packages=packages, limits=limits, guarded=False, role=JUDGE_ROLE, whole=True, offline=True, staged=()
    )


class Sandboxes:
    """A sandbox for the notebooks of an assignment, and one for their judges. A context manager; leaving it ends
    both."""

    def __init__(self, backend: Backend, spec: SandboxSpec) -> None:
        """Start them, which is not waited for.

        Raises:
            SandboxUnavailable: one cannot be started.
        """
        self.notebooks = Sandbox(backend, spec, warm=False)
        try:
            self.judges = Sandbox(backend, judge_spec(spec), warm=False)
        except BaseException:
            self.notebooks.close(at_once=True)
            raise

    def warm(self, spec: SandboxSpec, order: bytes) -> None:
        """Say what is to be done ahead of all sessions; `order` is what judges are to know (see `judge.order_of`)."""
        self.judges.warm(judge_spec(spec), order)
        self.notebooks.warm(spec)

    @property
    def closed(self) -> bool:
        """Whether one of them has ended."""
        return self.notebooks.closed or self.judges.closed

    def close(self, *, at_once: bool = False) -> None:
        """End both."""
        self.notebooks.close(at_once=at_once)
        self.judges.close(at_once=at_once)

    def __enter__(self) -> Sandboxes:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class SandboxAddress(NamedTuple):
    """Where a sandbox is that another process has started, as `ZygoteClient` wants to be told."""

    name: str
    spec: SandboxSpec
    address: Path


class Lines(NamedTuple):
    """Lines to a sandbox for notebooks and to one for their judges, for one thread."""

    notebooks: ZygoteClient
    judges: ZygoteClient


@dataclass(frozen=True)
class BorrowedSandboxes:
    """Sandboxes that another process has started, and will end."""

    notebooks: SandboxAddress
    judges: SandboxAddress

    @property
    def closed(self) -> bool:
        """Whether one of them has been ended."""
        return not (self.notebooks.address.exists() and self.judges.address.exists())

    def close(self) -> None:
        """Nothing: they are another's."""

    @contextmanager
    def lines(self) -> Iterator[Lines]:
        """Lines of one's own to both.

        Raises:
            SandboxUnavailable: one of them has ended.
        """
        with closing(ZygoteClient(*self.notebooks)) as notebooks, closing(ZygoteClient(*self.judges)) as judges:
            yield Lines(notebooks, judges)


def borrowed_sandboxes(sandboxes: Sandboxes, spec: SandboxSpec | None = None) -> BorrowedSandboxes:
    """How other processes find these. `spec` has the limits of what they run there, where those are others."""
    notebooks, judges = sandboxes.notebooks, sandboxes.judges
    return BorrowedSandboxes(
        SandboxAddress(notebooks.name, spec or notebooks.spec, notebooks.address),
        SandboxAddress(judges.name, judge_spec(spec) if spec else judges.spec, judges.address),
    )


class EarlySandboxes:
    """Sandboxes that will fit if the source turns out to be as it was when it was built last."""

    def __init__(self, course: Course, assignment: Assignment, backend: Backend) -> None:
        """Start them.

        Raises:
            SandboxUnavailable: they cannot be started.
        """
        self._folder = course.step("source", assignment.id)
        self._backend = backend
        self._spec = notebook_spec(course, assignment)
        self._identity = self._folder_number()
        self._sandboxes = Sandboxes(backend, self._spec)
        self._used = False

    def sandboxes(self, spec: SandboxSpec, order: bytes) -> Sandboxes:
        """Sandboxes for `spec`, which import what is to be imported: those that were started, or others.

        Raises:
            SandboxUnavailable: others cannot be started.
        """
        if (replace(spec, warm=(), guarded=True), self._folder_number()) != (self._spec, self._identity):
            self._sandboxes.close(at_once=True)
            self._sandboxes = Sandboxes(self._backend, spec)
        self._sandboxes.warm(spec, order)
        self._used = True
        return self._sandboxes

    def close(self) -> None:
        """End the sandboxes. Such as were not used have no sessions to be waited for."""
        self._sandboxes.close(at_once=not self._used)

    def _folder_number(self) -> int:
        """Another one when the folder was replaced by a folder that was there beside it."""
        return self._folder.stat().st_ino if self._folder.is_dir() else 0
