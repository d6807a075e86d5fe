"""Which files that students hand in beside the notebook are wanted, within what limits, and over what they never go.

A rule is made of the course's settings and the assignment's own files, once (`shipped_files`); what a submission holds
is held to it by `repair/beside.py`. Nothing of what it lets through reaches a judge's process.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from fnmatch import fnmatchcase

IMPORTED = (".py", ".pyc", ".so")


@dataclass(frozen=True)
class ShippedFile:
    """A file of the course's own: what tells whether a student has changed it."""

    size: int
    sha256: str  # "": it is not looked into


@dataclass(frozen=True)
class HandedInRule:
    """What is taken of the files beside a submission's notebooks.

    Args:
        wanted: patterns of paths.
        shipped: the course's own files by their paths: those that students got.
        packages: folders among them that Python imports, into which nothing is put.
        folders: the folders in which they lie, and such as are empty.
        modules: names of modules in whose place nothing is put: the course's, of its packages, of the standard library.
        imported: names of modules that the instructor's cells import: they are put there only where `wanted` names the
            file itself.
        reference: contents of what the reference hands in, by path.
    """

    wanted: tuple[str, ...] = ()
    most: int = 0
    most_bytes: int = 0
    total_bytes: int = 0
    shipped: dict[str, ShippedFile] = field(default_factory=dict)
    packages: frozenset[str] = frozenset()
    folders: frozenset[str] = frozenset()
    modules: frozenset[str] = frozenset()
    imported: frozenset[str] = frozenset()
    reference: dict[str, bytes] = field(default_factory=dict)

    @property
    def limits(self) -> tuple[int, int, int]:
        """Of number, of the size of each, and of all together."""
        return self.most, self.most_bytes, self.total_bytes

    def is_wanted(self, path: str) -> bool:
        """Whether a pattern of the course's names a path."""
        parts = path.split("/")
        return any(matches(parts, pattern.split("/")) for pattern in self.wanted)

    def stands_in_place_of_a_module(self, path: str) -> bool:
        """Whether Python would import it and not what it imports now. A folder without an `__init__` stands in the
        place of nothing."""
        top, _, below = path.partition("/")
        name, file = top.partition(".")[0], below or top
        is_module = file.endswith(IMPORTED) and (not below or file.partition(".")[0] == "__init__")
        return is_module and (name in self.modules or (name in self.imported and path not in self.wanted))

    def is_in_a_package(self, path: str) -> bool:
        """Whether it lies in a folder of the course's that Python imports."""
        parts = path.split("/")
        return any("/".join(parts[:depth]) in self.packages for depth in range(1, len(parts)))

    def is_in_the_way(self, path: str) -> bool:
        """Whether the course has a file where this one has a folder, or the other way round."""
        parts = path.split("/")
        above = {"/".join(parts[:depth]) for depth in range(1, len(parts))}
        return path in self.folders or bool(above & self.shipped.keys())


def matches(parts: list[str], pattern: list[str]) -> bool:
    """Whether the parts of a path are those of a pattern: `*` and `?` stand for what is in one part, `**` for any
    number of parts. A name that begins with a dot is named by a pattern that does, and by no other."""
    if not pattern:
        return not parts
    if pattern[0] == "**":
        return matches(parts, pattern[1:]) or (
            bool(parts) and not parts[0].startswith(".") and matches(parts[1:], pattern)
        )
    if not parts or (parts[0].startswith(".") and not pattern[0].startswith(".")):
        return False
    return fnmatchcase(parts[0], pattern[0]) and matches(parts[1:], pattern[1:])
