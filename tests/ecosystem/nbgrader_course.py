"""A course as nbgrader's own commands make it, and those commands. No fixtures and no tests here."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nbformat
from nbgrader_forks import nbgrader_forks

from tito.author.variants import filled, solutions
from tito.course.cells import grade_id_of

NBGRADER = (sys.executable, "-m", "nbgrader")
TIMEOUT_S = 240
WRONG_SQUARES = "def squares(n):\n    return [i ** 2 for i in range(n)]"


@dataclass(frozen=True)
class NbgraderCourse:
    """The folder of a course, beside a home and an exchange of its own."""

    root: Path

    @property
    def exchange(self) -> Path:
        return self.root.parent / "exchange"

    def environment(self) -> dict[str, str]:
        """As a person's shell has it, without what this machine's settings of Jupyter would add."""
        own = {name: value for name, value in os.environ.items() if not name.startswith(("JUPYTER", "TITO"))}
        home = self.root.parent / "home"
        home.mkdir(exist_ok=True)
        scripts = Path(sys.executable).parent
        return own | {"PATH": f"{scripts}:{os.environ['PATH']}", "HOME": str(home), "JUPYTER_PREFER_ENV_PATH": "1"}

    def run(self, *command: str, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
        """Run a command in the course."""
        where = cwd or self.root
        if command[:3] == NBGRADER:
            ran = nbgrader_forks()(where, self.environment(), *command[3:], path=where)
            return subprocess.CompletedProcess(command, ran.code, ran.out, ran.err)
        return subprocess.run(
            command, cwd=where, env=self.environment(), capture_output=True, text=True, timeout=TIMEOUT_S,
            check=False,
        )  # fmt: skip

    def nbgrader(self, *arguments: str) -> str:
        """Run one of nbgrader's commands, which has to work; return what it said."""
        done = self.run(*NBGRADER, *arguments)
        assert done.returncode == 0, done.stderr[-4000:]
        return done.stdout + done.stderr

    def content(self) -> dict[str, str]:
        """Every file of the course, and what is in it."""
        files = (path for path in self.root.rglob("*") if path.is_file() and "__pycache__" not in path.parts)
        return {str(path.relative_to(self.root)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}

    def copied(self, folder: Path) -> NbgraderCourse:
        """A copy in a folder, with the exchange where its settings say."""
        copy = NbgraderCourse(folder / self.root.name)
        shutil.copytree(self.root, copy.root)
        shutil.copytree(self.exchange, copy.exchange)
        config = copy.root / "nbgrader_config.py"
        config.write_text(config.read_text().replace(str(self.exchange), str(copy.exchange)))
        return copy

    def hand_in(self, student: str, when: str, **cells: str) -> None:
        """Bring the reference's solution in as a student's, but for the cells that are named."""
        target = self.root / "submitted" / student / "ps1"
        target.mkdir(parents=True, exist_ok=True)
        for path in sorted((self.root / "release" / "ps1").glob("*.ipynb")):
            source = nbformat.read(self.root / "source" / "ps1" / path.name, as_version=4)
            nbformat.write(solved(nbformat.read(path, as_version=4), source, cells), target / path.name)
        (target / "timestamp.txt").write_text(when)


def solved(released: Any, source: Any, cells: dict[str, str]) -> Any:
    """A released notebook with the reference's solutions, but for the cells that are named."""
    notebook = filled(released, solutions(source))
    for cell in notebook.cells:
        if grade_id_of(cell) in cells:
            cell.source = cells[grade_id_of(cell)]
    return notebook


def quickstart(folder: Path) -> NbgraderCourse:
    """What `nbgrader quickstart` makes, with an exchange of its own, released, handed in by three, and one graded."""
    course = NbgraderCourse(folder / "course101")
    folder.mkdir(exist_ok=True)
    done = course.run(*NBGRADER, "quickstart", "course101", cwd=folder)
    assert done.returncode == 0, done.stderr
    course.exchange.mkdir(mode=0o777)
    course.exchange.chmod(0o777)
    config = course.root / "nbgrader_config.py"
    config.write_text(f"{config.read_text()}\nc.Exchange.root = {str(course.exchange)!r}\n")
    course.nbgrader("generate_assignment", "ps1")
    course.nbgrader("release_assignment", "ps1")
    course.hand_in("ada", "2026-11-01 10:00:00 UTC")
    course.nbgrader("autograde", "ps1")
    course.hand_in("bob", "2026-11-02 10:00:00 UTC", squares=WRONG_SQUARES)
    return course
