"""The plan of an assignment, kept from one run to the next: reading and planning a source takes as long as grading
some submissions, and what the reference's run tells of its tests (see `calibrate`) longer still.

A kept plan serves only while all that it was made from is as it was, to the byte: the course's settings, the source and
what was built from it, the reference, the platform's own code and the packages that it stands on.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import pickle
import platform
import stat
from collections.abc import Iterable
from importlib.metadata import version
from pathlib import Path

from tito.course.course import Assignment, Course
from tito.course.settings import AUTOTESTS_FILE, SETTINGS_FILE
from tito.plan.plan import AssignmentPlan
from tito.plan.shipped_files import reference_folder
from tito.repair.read_notebook import trusted
from tito.sandbox.environment import environment

PACKAGES = ("ipython", "jupytext", "nbformat", "nbgrader")
CODE = Path(__file__).resolve().parent.parent


class PlanCache:
    """Where the plan of an assignment for one way to isolate is kept."""

    def __init__(self, course: Course, assignment: Assignment, isolation: str) -> None:
        """Take note of the sources as they are: what is made of them is kept for these, and no others."""
        self._built = course.step("source", assignment.id)
        self._path = course.gradebook_dir / "plans" / f"{assignment.id}-{isolation}"
        self._sources = _sources(course, assignment)

    def read(self) -> AssignmentPlan | None:
        """The plan; None where there is none, or none that fits any more.

        A plan is code to whoever reads it: one that others could have written is not read.
        """
        try:
            with self._path.open("rb") as file:
                facts = os.fstat(file.fileno())
                if facts.st_uid != os.geteuid() or facts.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
                    return None
                if file.read(hashlib.sha256().digest_size) != self._identity():
                    return None
                plan = pickle.load(file)
        except (OSError, pickle.UnpicklingError, EOFError, AttributeError, ImportError, TypeError, ValueError):
            return None
        return plan if isinstance(plan, AssignmentPlan) else None

    def write(self, plan: AssignmentPlan) -> None:
        """Keep a plan, and what its sources tell. For its owner alone: it holds the hidden tests.

        Where it cannot be kept, it is made again.
        """
        for notebook in plan.notebooks:
            trusted(notebook)  # so that what its cells tell is kept with them
        with contextlib.suppress(OSError):
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            fresh = self._path.with_name(f".{self._path.name}.{os.getpid()}")
            fresh.unlink(missing_ok=True)
            with open(fresh, "xb", opener=lambda path, flags: os.open(path, flags, 0o600)) as file:
                file.write(self._identity() + pickle.dumps(plan))
            fresh.replace(self._path)

    def _identity(self) -> bytes:
        """Of the sources as they were, and of what is built from them as it is."""
        return _digest([self._built], [self._sources])


def _sources(course: Course, assignment: Assignment) -> bytes:
    folders = [CODE, course.root / SETTINGS_FILE, course.root / AUTOTESTS_FILE]
    folders += [path for path in (course.reference, assignment.script) if path is not None]
    folders += [path for path in [reference_folder(course, assignment.id)] if path.is_dir()]
    folders += [Path(path) for path in (course.nbgrader or {}).get("IncludeHeaderFooter", {}).values() if path]
    versions = [platform.python_version(), *map(version, PACKAGES), environment(course.sandbox.packages).hash]
    return _digest(
        folders, [repr([str(course.root), assignment.id, course.limits, course.stubs, course.runs, *versions]).encode()]
    )


def _digest(paths: Iterable[Path], more: Iterable[bytes]) -> bytes:
    """Over names and contents of files and of all files below folders, but for compiled ones."""
    digest = hashlib.sha256()
    for path in paths:
        for file in sorted(path.rglob("*")) if path.is_dir() else [path]:
            if file.suffix != ".pyc" and file.is_file():
                content = file.read_bytes()
                digest.update(f"{file} {len(content)}\n".encode() + content)
    for data in more:
        digest.update(data)
    return digest.digest()
