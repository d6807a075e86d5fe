"""What a notebook can import inside the sandbox: chosen distributions with all that they need, and nothing else.

The grader's own environment holds the platform and the reference solutions; so it is never mounted whole.
"""

from __future__ import annotations

import hashlib
import platform
from dataclasses import dataclass
from functools import cache
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path

from packaging.requirements import Requirement

from tito.errors import SandboxUnavailable


@dataclass(frozen=True)
class Environment:
    """Importable entries (path on this machine, name inside), a hash of names and versions, and these."""

    entries: tuple[tuple[Path, str], ...]
    hash: str
    versions: tuple[tuple[str, str], ...] = ()

    @property
    def modules(self) -> frozenset[str]:
        """What can be imported, by the first part of its name."""
        return frozenset(name.partition(".")[0] for _, name in self.entries)

    def versions_of(self, packages: tuple[str, ...]) -> tuple[tuple[str, str], ...]:
        """Python's version and those of some packages, as they are to stand beside a grade."""
        versions = dict(self.versions)
        return (("python", platform.python_version()), *((name, versions[_plain(name)]) for name in packages))


@cache
def environment(packages: tuple[str, ...]) -> Environment:
    """The closure of `packages` over their requirements, as installed beside the platform.

    Raises:
        SandboxUnavailable: one of them is not installed.
    """
    distributions: dict[str, Distribution] = {}
    wanted = [Requirement(name) for name in packages]
    while wanted:
        requirement = wanted.pop()
        name = _plain(requirement.name)
        if name in distributions:
            continue
        try:
            distributions[name] = distribution(name)
        except PackageNotFoundError as error:
            raise SandboxUnavailable(
                f"The sandbox is to hold the package '{name}', which is not installed.",
                hint=f"Run 'pip install {name}', or take it out of [sandbox] packages in course.toml.",
            ) from error
        needs = (Requirement(text) for text in distributions[name].requires or ())
        wanted += [need for need in needs if need.marker is None or need.marker.evaluate({"extra": ""})]
    entries = {entry.name: entry for package in distributions.values() for entry in _top_level(package)}
    versions = tuple(sorted((name, package.version) for name, package in distributions.items()))
    lines = sorted(f"{name}=={version}" for name, version in versions)
    digest = hashlib.sha256("\n".join([platform.python_version(), *lines]).encode()).hexdigest()
    return Environment(tuple((path, name) for name, path in sorted(entries.items())), digest, versions)


def _plain(name: str) -> str:
    return name.lower().replace("_", "-")


def _top_level(package: Distribution) -> set[Path]:
    # From the text of its list of files: `package.files` makes an object of each of thousands.
    listed = (package.read_text("RECORD") or "").splitlines()
    paths = [line.split(",")[0].strip('"') for line in listed] or [str(path) for path in package.files or ()]
    names = {path.partition("/")[0] for path in paths} - {"..", "__pycache__", ""}
    return {Path(str(package.locate_file(name))) for name in names}
