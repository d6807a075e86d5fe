"""`nbgrader autograde` on every case of the corpus: the verdicts and points of `tito autograde`, and no batch stopped.

No case is left out, and none is excepted: our converter stands where nbgrader's own would read and copy what was handed
in. Left to itself, nbgrader waits for ever on `tampering_fifo`, grades nobody who handed in no notebook
(`tampering_missing`, `tampering_renamed`), gives up on one with a file that cannot be copied, and copies what a link
leads to (`tampering_links_beside`) into `autograded/`, from where it goes to the student's feedback.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nbformat
import pytest
from cases_support import (
    ASSIGNMENT,
    CASES,
    NOTEBOOK,
    TEST_WORDS,
    Case,
    Run,
    hand_in,
    plain,
    points_of,
    read_cases,
    told,
    verdicts_of,
)

from tito.author.release import publish
from tito.course import Course, load_course
from tito.grade.record import read_record
from tito.grade.submission import Graded
from tito.gradebook.store import open_gradebook

pytestmark = pytest.mark.nbgrader

ROOT = Path(__file__).resolve().parents[2]
PARTS = 3  # processes of nbgrader's, which grades one submission after the other, and mostly waits for time limits
TIMEOUT_S = 400


@dataclass(frozen=True)
class Part:
    """A share of the cases in a course of their own, and what nbgrader said of it."""

    course: Course
    code: int
    said: str


@pytest.fixture(scope="module")
def parts(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Part]:
    """Every case, graded by `nbgrader autograde`: the course that it was graded in, by the case's name."""
    root = tmp_path_factory.mktemp("same")
    course = _course(root / "course")
    release = publish(course, course.assignment(ASSIGNMENT))
    released = plain(nbformat.read(release / NOTEBOOK, as_version=4))
    cases = read_cases()
    shares = [cases[number::PARTS] for number in range(PARTS)]
    courses = [_share(course, root / str(number), share, released) for number, share in enumerate(shares)]
    started = [_autograde(one) for one in courses]
    done = [Part(one, *_ended(process)) for one, process in zip(courses, started, strict=True)]
    return {case.name: part for part, share in zip(done, shares, strict=True) for case in share}


def _course(root: Path) -> Course:
    shutil.copytree(CASES / "assignment", root)
    shutil.copy(ROOT / "nbgrader_config.py", root)
    return load_course(root.resolve())


def _share(course: Course, root: Path, cases: list[Case], released: dict[str, Any]) -> Course:
    shutil.copytree(course.root, root)
    mine = load_course(root.resolve())
    for case in cases:
        hand_in(case, released, mine.step("submitted", case.name, ASSIGNMENT))
    return mine


def _autograde(course: Course) -> subprocess.Popen[str]:
    home = course.root.parent / "home"
    home.mkdir(exist_ok=True)
    scripts = Path(sys.executable).parent
    variables = os.environ | {"PATH": f"{scripts}:{os.environ['PATH']}", "HOME": str(home)}
    command = [sys.executable, "-m", "nbgrader", "autograde", ASSIGNMENT]
    return subprocess.Popen(
        command, cwd=course.root, env=variables, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )


def _ended(process: subprocess.Popen[str]) -> tuple[int, str]:
    said, _ = process.communicate(timeout=TIMEOUT_S)
    return process.returncode, said


def test_no_case_stops_nbgraders_batch(parts: dict[str, Part]) -> None:
    for part in {id(one): one for one in parts.values()}.values():
        assert part.code == 0, part.said[-4000:]


@pytest.mark.parametrize("name", [case.name for case in read_cases()])
def test_nbgrader_gives_a_case_the_same_verdicts_and_points(parts: dict[str, Part], run: Run, name: str) -> None:
    theirs, ours = _graded(parts[name].course, name), run.graded[name]
    assert verdicts_of(theirs) == verdicts_of(ours)
    assert points_of(theirs) == points_of(ours)
    assert _scores(parts[name].course, name) == points_of(ours)
    assert not [word for word in TEST_WORDS if word in told(theirs)]


def _graded(course: Course, student: str) -> Graded:
    """What was stored of a submission: its record, and the notebook that formgrader shows."""
    record = read_record(course, ASSIGNMENT, student)
    assert record is not None
    path = course.step("autograded", student, ASSIGNMENT, NOTEBOOK)
    return Graded(record, {path.stem: path.read_text(encoding="utf-8")})


def _scores(course: Course, student: str) -> dict[str, float | None]:
    """Points of each graded cell as nbgrader's gradebook has them; None where a person must look."""
    with open_gradebook(course) as opened:
        grades = opened.find_submission(ASSIGNMENT, student).notebooks[0].grades
        return {one.name: None if one.needs_manual_grade else one.auto_score for one in grades}


def test_only_the_notebook_and_its_time_go_to_the_graded_folder(parts: dict[str, Part]) -> None:
    """Nothing else that was handed in: a link would carry what it leads to into the student's feedback."""
    for name, part in parts.items():
        graded = part.course.step("autograded", name, ASSIGNMENT)
        assert {path.name for path in graded.iterdir()} <= {NOTEBOOK, "timestamp.txt"}, name
