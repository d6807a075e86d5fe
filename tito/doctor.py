"""Looks at the machine and the course: what is there, what is missing, what still works without it."""

from __future__ import annotations

import os
import shutil
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from tito.course import Course, find_course
from tito.errors import SandboxUnavailable, TitoError
from tito.models import Check
from tito.sandbox.bubblewrap import Bubblewrap

PACKAGES = ("nbgrader", "ipykernel", "numpy", "matplotlib", "jupytext")
FREE_MB = 500


def examine(folder: Path) -> list[Check]:
    """All checks, those of the machine first; those of the course only where there is one."""
    checks = [_python(), *map(_package, PACKAGES), _kernel(), _sandbox()]
    try:
        course = find_course(folder)
    except TitoError as error:
        return [*checks, Check("course", False, error.message, hint=error.hint)]
    return [
        *checks,
        Check("course", True, f"{course.id} in {course.root}"),
        _gradebook(course),
        _exchange(course),
        _disk(course),
    ]


def _python() -> Check:
    found = ".".join(map(str, sys.version_info[:3]))
    return Check("python", sys.version_info >= (3, 11), found, hint="Use Python 3.11 or newer.")


def _package(name: str) -> Check:
    try:
        return Check(name, True, version(name))
    except PackageNotFoundError:
        return Check(name, False, "not installed.", hint="Run 'make setup'.")


def _kernel() -> Check:
    from jupyter_client.kernelspec import KernelSpecManager

    found = "python3" in KernelSpecManager().find_kernel_specs()
    detail = "python3" if found else "no kernel 'python3'."
    return Check("kernel", found, detail, hint="tito works without; plain nbgrader does not: pip install ipykernel.")


def _sandbox() -> Check:
    try:
        Bubblewrap()
    except SandboxUnavailable as error:
        problem = error.message
    else:
        return Check("sandbox", True, "bubblewrap isolates")
    return Check(
        "sandbox",
        False,
        problem,
        hint="Install bubblewrap (Debian: apt-get install bubblewrap) and allow user namespaces. Without it collect, "
        "feedback, grades and status work; check, release and autograde refuse, unless told '--sandbox none'.",
    )


def _gradebook(course: Course) -> Check:
    from tito.gradebook.store import gradebook

    if course.db_url.startswith("sqlite:///") and not Path(course.db_url.removeprefix("sqlite:///")).exists():
        return Check("gradebook", True, "none yet; the first release makes it")
    try:
        with gradebook(course) as opened:
            count = len(opened.assignments)
    except TitoError as error:
        return Check("gradebook", False, error.message, hint=error.hint)
    return Check("gradebook", True, f"{count} assignments")


def _exchange(course: Course) -> Check:
    root = course.exchange_root
    if root.is_dir():
        usable = os.access(root, os.W_OK | os.X_OK)
        return Check(
            "exchange",
            usable,
            f"{root}{'' if usable else ' is not writable.'}",
            hint=f"Make {root} writable for all.",
        )
    if root.is_relative_to(course.root):
        return Check("exchange", True, f"{root}: none yet; the first release makes it")
    return Check(
        "exchange",
        False,
        f"{root} does not exist.",
        hint="Create it. Without it, 'release --no-exchange' and all else works.",
    )


def _disk(course: Course) -> Check:
    free = shutil.disk_usage(course.root).free >> 20
    return Check("disk", free >= FREE_MB, f"{free} MiB free", hint="Make room: grading a cohort needs some.")
