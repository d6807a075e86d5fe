"""The rule for what students hand in beside the notebook, of a course's settings and of the files that it ships."""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path

from tito.course.course import Course
from tito.course.settings import FileSettings
from tito.plan.handed_in import IMPORTED, HandedInRule, ShippedFile
from tito.sandbox.environment import environment
from tito.sandbox.spec import SandboxSpec

# What Python, its tools or the platform would import by itself, whoever wrote it.
ALWAYS = frozenset(("tito", "sitecustomize", "usercustomize", "conftest"))


def rule_of(settings: FileSettings, assignment: str, spec: SandboxSpec, package: str = "") -> HandedInRule:
    """The rule of an assignment, whose own files are those of `spec`; `package` is what students import as the
    course's."""
    files = dict(_files(spec.files))
    modules = {name.partition("/")[0].partition(".")[0] for name in files if name.endswith(IMPORTED)}
    modules |= {name.partition(".")[0] for _, name in environment(spec.packages).entries}
    return HandedInRule(
        wanted=(*settings.submitted, *settings.assignments.get(assignment, ())),
        most=settings.most,
        most_bytes=settings.size_mb << 20,
        total_bytes=settings.total_mb << 20,
        shipped={name: _shipped(path, name.partition("/")[0] in spec.staged) for name, path in files.items()},
        packages=frozenset(_packages(files)),
        folders=frozenset(_folders(spec.files)),
        modules=frozenset({*modules, *sys.stdlib_module_names, *ALWAYS, *filter(None, [package])}),
    )


def reference_folder(course: Course, assignment: str) -> Path:
    """Where what the reference hands in beside the notebook lies, in an assignment that wants such files."""
    return course.step("variants", assignment, "handed_in")


def with_reference(rule: HandedInRule, folder: Path) -> HandedInRule:
    """The rule, with what the reference hands in: files in a folder of the instructor's, as far as the rule wants
    them."""
    paths = {path.relative_to(folder).as_posix(): path for path in sorted(folder.rglob("*")) if path.is_file()}
    return replace(rule, reference={name: path.read_bytes() for name, path in paths.items() if rule.is_wanted(name)})


def _files(tops: Iterable[tuple[Path, str]]) -> Iterator[tuple[str, Path]]:
    for top, name in tops:
        if not top.is_dir():
            yield name, top
            continue
        for path in sorted(top.rglob("*")):
            if path.is_file() and "__pycache__" not in path.parts:
                yield f"{name}/{path.relative_to(top).as_posix()}", path


def _folders(tops: Iterable[tuple[Path, str]]) -> Iterator[str]:
    for top, name in tops:
        if top.is_dir():
            yield name
            yield from (f"{name}/{path.relative_to(top).as_posix()}" for path in top.rglob("*") if path.is_dir())


def _shipped(path: Path, staged: bool) -> ShippedFile:
    size = path.stat().st_size
    if staged:
        return ShippedFile(size, "")
    with path.open("rb") as file:
        return ShippedFile(size, hashlib.file_digest(file, "sha256").hexdigest())


def _packages(files: Iterable[str]) -> Iterator[str]:
    """Folders with modules in them."""
    for name in files:
        folder, _, file = name.rpartition("/")
        if folder and file.endswith(IMPORTED):
            yield folder
