"""Compiles what has been installed, ahead of its first use: the modules of the platform and of what it needs to run.

    .venv/bin/python scripts/compile_modules.py [EXTRA …]

uv leaves that to whoever imports a module first. Here nobody would: the platform's processes keep no compiled modules
(`course.load_course`), and a sandbox cannot. Besides what a course needs, what the named extras of pyproject.toml bring
is compiled; no package's own tests are.
"""

from __future__ import annotations

import compileall
import os
import sys
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path

from packaging.requirements import Requirement

PROJECT = "tinytorch-tito"
ROOT = Path(__file__).resolve().parents[1]
OURS = ("tito", "tinytorch_ref")
TESTS = {"test", "tests"}
CHUNK = 40  # files that a process takes at a time


def needed(requirement: Requirement) -> list[Distribution]:
    """The distributions that a requirement brings, itself among them."""
    todo, distributions = [requirement], {}
    seen = set()
    while todo:
        current = todo.pop()
        for extra in ("", *current.extras):
            if (current.name, extra) not in seen:
                seen.add((current.name, extra))
                try:
                    distributions[current.name] = distribution(current.name)
                except PackageNotFoundError:
                    continue  # for another platform, or an extra that is not installed
                todo += _requirements(distributions[current.name], extra)
    return list(distributions.values())


def _requirements(package: Distribution, extra: str) -> Iterator[Requirement]:
    for text in package.requires or ():
        requirement = Requirement(text)
        if requirement.marker is None or requirement.marker.evaluate({"extra": extra}):
            yield requirement


def modules_of(package: Distribution) -> Iterator[Path]:
    """A distribution's modules, without those of its tests."""
    for file in package.files or ():
        if file.suffix == ".py" and not TESTS.intersection(file.parts):
            yield Path(str(file.locate()))


def compile_module(path: Path) -> bool:
    """Whether it could be compiled: some packages carry templates that are no Python."""
    return bool(compileall.compile_file(path, quiet=2))


def main() -> None:
    project = Requirement(f"{PROJECT}[{','.join(sys.argv[1:])}]")
    modules = {path for package in needed(project) for path in modules_of(package)}
    modules |= {path for name in OURS for path in (ROOT / name).rglob("*.py")}
    with ProcessPoolExecutor(os.cpu_count()) as pool:
        list(pool.map(compile_module, sorted(modules), chunksize=CHUNK))


if __name__ == "__main__":
    main()
