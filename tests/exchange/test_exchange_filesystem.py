"""nbgrader's own filesystem exchange, the whole round by its own commands, with our engine: as the student sees it."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import nbformat
import pytest
from nbgrader_forks import nbgrader_forks
from tiny import ASSIGNMENT, HIDDEN_TEXT, page_text, solved

from tito.course.course import Course, load_course

SCRIPTS = Path(sys.executable).parent
ME = pwd.getpwuid(os.getuid()).pw_name
WRONG = "def halve(value):\n    return value / 3"
SECRET = "submission_secret.txt"


@dataclass(frozen=True)
class Lab:
    """A course whose exchange is nbgrader's own, and a student's home."""

    course: Course
    home: Path

    def run(self, *command: str, cwd: Path | None = None) -> str:
        """What a command says; it has to succeed."""
        where = cwd or self.course.root
        own = {name: value for name, value in os.environ.items() if not name.startswith(("JUPYTER", "TITO"))}
        environment = own | {"PATH": f"{SCRIPTS}:{os.environ['PATH']}", "HOME": str(self.home)}
        if command[0] == "nbgrader":
            ran = nbgrader_forks()(where, environment, *command[1:])
            assert ran.code == 0, ran.err
            return ran.output
        done = subprocess.run(
            [str(SCRIPTS / command[0]), *command[1:]],
            cwd=where,
            env=environment,
            capture_output=True,
            text=True,
            timeout=240,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout + done.stderr

    def as_student(self, *command: str) -> str:
        """A command of nbgrader's, run where a student is: their settings name course and exchange."""
        return self.run("nbgrader", *command, cwd=self.home)

    @property
    def mine(self) -> Path:
        return self.home / ASSIGNMENT

    def pages(self) -> list[str]:
        """The texts of the feedback pages that the student has."""
        return [page_text(path.read_text()) for path in sorted(self.mine.glob("feedback/*/*.html"))]


@pytest.fixture
def lab(released: Course, tmp_path: Path) -> Lab:
    settings = released.root / "course.toml"
    settings.write_text(f'{settings.read_text()}\n[exchange]\nkind = "filesystem"\n')
    course = load_course(released.root)
    course.exchange_root.mkdir()
    course.exchange_root.chmod(0o777)
    home = tmp_path / "home"
    home.mkdir()
    config = (
        f"c = get_config()\nc.Exchange.root = {str(course.exchange_root)!r}\nc.CourseDirectory.course_id = 'tiny'\n"
    )
    (home / "nbgrader_config.py").write_text(config)
    return Lab(course, home)


def hand_in(lab: Lab) -> None:
    """The student's part until the submission is collected, by nbgrader's commands."""
    lab.run("nbgrader", "release_assignment", ASSIGNMENT)
    lab.as_student("fetch_assignment", ASSIGNMENT)
    nbformat.write(solved(lab.course, halve=WRONG), lab.mine / "doubling.ipynb")
    lab.as_student("submit", ASSIGNMENT)
    lab.run("nbgrader", "collect", ASSIGNMENT)


@pytest.mark.parametrize(
    ("grade", "feedback", "shown"),
    [
        ([("nbgrader", "autograde", ASSIGNMENT)], [("nbgrader", command, ASSIGNMENT) for command in (
            "generate_feedback", "release_feedback")], ("FAILED: halve(4) must be 2", "(Score: 4.0 / 4.0)")),
        ([("tito", "autograde", ASSIGNMENT)], [("tito", "feedback", "--release", "--yes", ASSIGNMENT)],
            ("halve(4) must be 2", "4 of 4")),
    ],
    ids=["nbgrader", "tito"],
)  # fmt: skip
def test_the_student_gets_the_page_by_the_filesystem_exchange(
    lab: Lab, grade: list[tuple[str, ...]], feedback: list[tuple[str, ...]], shown: tuple[str, ...]
) -> None:
    hand_in(lab)
    for command in (*grade, *feedback):
        lab.run(*command)
    lab.as_student("fetch_feedback", ASSIGNMENT)
    (page,) = lab.pages()
    assert [text for text in shown if text not in page] == []
    assert not [text for text in HIDDEN_TEXT if text in page]


def page_of(lab: Lab, student: str) -> None:
    """A submission that is mine but for its name and its secret."""
    folder = lab.course.step("submitted", student, ASSIGNMENT)
    folder.mkdir(parents=True)
    for name in ("doubling.ipynb", "timestamp.txt"):
        shutil.copy(lab.course.step("submitted", ME, ASSIGNMENT) / name, folder)


def test_one_submission_without_its_secret_does_not_keep_others_from_their_pages(lab: Lab, tmp_path: Path) -> None:
    """nbgrader stops at it: one student's deleted file would leave the cohort without feedback."""
    hand_in(lab)
    foreign = tmp_path / "foreign"
    foreign.write_text("not a student's to have")
    plants: dict[str, Callable[[Path], object]] = {
        "aaa_none": lambda path: None,
        "linked": lambda path: path.symlink_to(foreign),
        "pipe": os.mkfifo,
        "folder": Path.mkdir,
        "huge": lambda path: path.write_bytes(b"x" * 70_000),
        "odd": lambda path: path.write_bytes(b"\xff\xfe"),
    }
    for student, plant in plants.items():
        page_of(lab, student)
        plant(lab.course.step("submitted", student, ASSIGNMENT) / SECRET)
    lab.run("tito", "autograde", ASSIGNMENT)
    assert [path.parent.parent.name for path in lab.course.step("autograded").glob(f"*/*/{SECRET}")] == [ME]
    released = lab.run("tito", "feedback", "--release", "--yes", ASSIGNMENT)
    assert all(f"{student}'s" in released for student in plants)
    assert len(list((lab.course.exchange_root / "tiny" / "feedback").glob("*.html"))) == 1
    lab.as_student("fetch_feedback", ASSIGNMENT)
    assert len(lab.pages()) == 1
