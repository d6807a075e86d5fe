"""Files that were handed in beside the notebook: which of them are brought into its session, and why others are not.

What lies in a submission's folder is hostile: no link is followed, nothing is opened that could wait, and of names,
depth and number there is only so much. What the course shipped counts as the course's, whatever became of it.
"""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from tito.course.settings import HELPERS_FILE
from tito.plan.handed_in import HandedInRule

MOST_ENTRIES = 2000  # that are looked at
MOST_DEPTH = 8
MOST_NAME = 200  # bytes of a part of a path
TOLD = 4  # files that are named of those that were left out for one reason
TOLD_OF_A_NAME = 80  # characters
# What nbgrader, the exchange and we write beside a notebook, and what runs or counts as a setting where it lies.
NOT_HANDED_IN = frozenset(
    ("timestamp.txt", "submission_secret.txt", "receipt.json", "receipts", "feedback", HELPERS_FILE.casefold())
)
SETTINGS = frozenset(("course.toml", "nbgrader_config.py", "jupyter_config.py", "jupyter_config.json"))
OPEN = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC

NOT_ASKED_FOR = "the course does not ask for it"
NOT_PLAIN = "it is a link, or no plain file"
NAME = "its name cannot be used"
COURSES = "the course's own is used"
IN_PACKAGE = "it lies in a package of the course's"
IN_THE_WAY = "the course has something else in its place"
MODULE = "Python would import it in place of a module"
SETTING = "it is a file of settings"
TOO_LARGE = "it is larger than {} MiB"
TOO_MANY = "no more than {} files are taken"
TOO_MUCH = "all together they would be larger than {} MiB"
NOT_READ = "it could not be read"


@dataclass(frozen=True)
class LeftOut:
    """A file that was not brought in."""

    path: str
    why: str


@dataclass(frozen=True)
class HandedIn:
    """What was handed in beside the notebooks: contents of the files that are brought in, by path, and what was left
    out. `too_many`: there was more than is looked at."""

    files: dict[str, bytes] = field(default_factory=dict)
    left_out: tuple[LeftOut, ...] = ()
    too_many: bool = False

    @property
    def note(self) -> str:
        """What whoever looks at the submission, and its student, are told; "" where nothing was left out."""
        names: dict[str, list[str]] = {}
        for file in self.left_out:
            names.setdefault(file.why, []).append(shown(file.path))
        parts = [f"{_listed(paths)} ({why})" for why, paths in names.items()]
        if self.too_many:
            parts.append(f"whatever is beyond {MOST_ENTRIES} files, or {MOST_DEPTH} folders deep")
        return f"of what was handed in beside the notebook, this was not used: {'; '.join(parts)}" if parts else ""


def _listed(names: list[str]) -> str:
    if len(names) <= TOLD:
        return ", ".join(names)
    return f"{', '.join(names[:TOLD])} and {len(names) - TOLD} more"


def shown(path: str) -> str:
    """A path as it may stand in a text or a page: with nothing in it that either would take for more than a name."""
    text = "".join(each if each.isalnum() or each in "_-./ " else "?" for each in path)
    return text if len(text) <= TOLD_OF_A_NAME else f"{text[: TOLD_OF_A_NAME - 3]}..."


def handed_in(folder: Path, rule: HandedInRule, notebooks: Collection[str]) -> HandedIn:
    """What lies in a submission's folder beside its notebooks; `notebooks` are file names of these and their copies."""
    files: dict[str, bytes] = {}
    left_out: list[LeftOut] = []
    room = rule.total_bytes
    listing = _Listing(folder)
    for path, directory, about in listing:
        original = rule.shipped.get(path)
        if original is not None and not original.sha256 and original.size == about.st_size:
            continue  # of a staged package, which is large: it is not looked into
        if path in notebooks or _is_silent(path, rule):
            continue
        why = _why_not(path, about, rule)
        if not why and len(files) >= rule.most:
            why = TOO_MANY.format(rule.most)
        if not why and about.st_size > room:
            why = TOO_MUCH.format(rule.total_bytes >> 20)
        if why:
            if why != COURSES or _is_changed(directory, path, about, rule):
                left_out.append(LeftOut(path, why))
            continue
        content = _content(directory, path, about.st_size)
        if content is None:
            left_out.append(LeftOut(path, NOT_READ))
            continue
        files[path] = content
        room -= len(content)
    return HandedIn(files, tuple(left_out), listing.is_cut)


class _Listing:
    """Paths of the files in a folder, each with a descriptor of the folder that it lies in, in their order; links and
    whatever else is no folder are among them. `is_cut` says afterwards whether there were more."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.is_cut = False

    def __iter__(self) -> Iterator[tuple[str, int, os.stat_result]]:
        count = 0
        top = str(self._folder)
        for root, folders, names, directory in os.fwalk(top, onerror=self._cut, follow_symlinks=False):
            below = f"{root[len(top) :].lstrip('/')}/".lstrip("/")
            folders.sort()
            links = []
            for name in (*folders, *sorted(names)):
                count += 1
                if count > MOST_ENTRIES:
                    self.is_cut = True
                    return
                try:
                    about = os.stat(name, dir_fd=directory, follow_symlinks=False)
                except OSError:
                    continue
                if not stat.S_ISDIR(about.st_mode):
                    links.append(name)
                    yield below + name, directory, about
            folders[:] = [name for name in folders if name not in links and name != "__pycache__"]
            if folders and below.count("/") + 1 >= MOST_DEPTH:
                self.is_cut, folders[:] = True, []

    def _cut(self, _: OSError) -> None:
        self.is_cut = True


def _is_silent(path: str, rule: HandedInRule) -> bool:
    """Whether it is nothing that anybody handed in: what programs leave behind, and what belongs to the exchange."""
    if path.partition("/")[0].casefold() in NOT_HANDED_IN:
        return True
    return "/." in f"/{path}" and not rule.is_wanted(path)


def _why_not(path: str, about: os.stat_result, rule: HandedInRule) -> str:
    """Why a file is left out, whatever the others are; or ""."""
    name = path.rpartition("/")[2]
    if path in rule.shipped:
        return COURSES
    if not _has_plain_name(path):
        return NAME
    if not rule.is_wanted(path) or any(part.casefold().endswith(".ipynb") for part in path.split("/")):
        return NOT_ASKED_FOR
    if not stat.S_ISREG(about.st_mode):
        return NOT_PLAIN
    if name.casefold() in SETTINGS:
        return SETTING
    if rule.is_in_a_package(path):
        return IN_PACKAGE
    if rule.is_in_the_way(path):
        return IN_THE_WAY
    if rule.stands_in_place_of_a_module(path):
        return MODULE
    return TOO_LARGE.format(rule.most_bytes >> 20) if about.st_size > rule.most_bytes else ""


def _has_plain_name(path: str) -> bool:
    return path.isprintable() and all(len(part.encode()) <= MOST_NAME for part in path.split("/"))


def _is_changed(directory: int, path: str, about: os.stat_result, rule: HandedInRule) -> bool:
    """Whether a student's copy of a file of the course's is another by now."""
    original = rule.shipped[path]
    if not stat.S_ISREG(about.st_mode) or about.st_size != original.size:
        return True
    if not original.sha256:
        return False
    content = _content(directory, path, original.size)
    return content is None or hashlib.sha256(content).hexdigest() != original.sha256


def _content(directory: int, path: str, size: int) -> bytes | None:
    """What is in a file that was seen to be a plain one of that size; None: it is not any more."""
    try:
        descriptor = os.open(path.rpartition("/")[2], OPEN, dir_fd=directory)
    except OSError:
        return None
    with os.fdopen(descriptor, "rb") as file:
        about = os.fstat(descriptor)
        if not stat.S_ISREG(about.st_mode) or about.st_size != size:
            return None
        try:
            return file.read(size)
        except OSError:
            return None
