"""`nbgrader autograde` on every case of the corpus: the verdicts and points that are due to it, which `tito autograde`
gives too (`tests/sandbox/test_cases.py`), and no batch stopped.

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
    CASES,
    TEST_WORDS,
    Case,
    by_assignment,
    feedback_of,
    hand_in,
    notebook_of,
    plain,
    points_for,
    points_of,
    read_cases,
    verdicts_of,
)

from tito.author.release import publish
from tito.course.course import Course, load_course
from tito.grade.submission import Graded
from tito.gradebook.records import read_record
from tito.gradebook.store import open_gradebook
from tito.models import SubmissionRecord

ROOT = Path(__file__).resolve().parents[2]
MOST_CASES = 70  # for one process of nbgrader's, which grades one submission after the other, and mostly waits
TIMEOUT_S = 400


@dataclass(frozen=True)
class Part:
    """A share of the cases of one module in a course of their own, and what nbgrader said of it."""

    course: Course
    cases: list[Case]
    code: int
    output: str


@pytest.fixture(scope="module")
def parts(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Part]:
    """Every case, graded by `nbgrader autograde`: the course that it was graded in, by the case's name."""
    root = tmp_path_factory.mktemp("same")
    course = _course(root / "course")
    shares = [share for cases in by_assignment(read_cases()).values() for share in _shares(cases)]
    released = {name: _released(course, name) for name in by_assignment(read_cases())}
    courses = [_share(course, root / str(at), share, released) for at, share in enumerate(shares)]
    started = [_autograde(course, share[0].assignment) for course, share in zip(courses, shares, strict=True)]
    done = [Part(course, share, *_ended(run)) for course, share, run in zip(courses, shares, started, strict=True)]
    return {case.name: part for part in done for case in part.cases}


def _shares(cases: list[Case]) -> list[list[Case]]:
    """The cases of one module, for as many processes as are to grade them."""
    processes = -(-len(cases) // MOST_CASES)
    return [cases[number::processes] for number in range(processes)]


def _released(course: Course, assignment: str) -> dict[str, Any]:
    release = publish(course, course.assignment(assignment))
    return plain(nbformat.read(release / notebook_of(assignment), as_version=4))


def _course(root: Path) -> Course:
    shutil.copytree(CASES / "assignment", root)
    shutil.copy(ROOT / "nbgrader_config.py", root)
    return load_course(root.resolve())


def _share(course: Course, root: Path, cases: list[Case], released: dict[str, dict[str, Any]]) -> Course:
    shutil.copytree(course.root, root)
    mine = load_course(root.resolve())
    for case in cases:
        hand_in(case, released[case.assignment], mine.step("submitted", case.name, case.assignment))
    return mine


def _autograde(course: Course, assignment: str) -> subprocess.Popen[str]:
    home = course.root.parent / "home"
    home.mkdir(exist_ok=True)
    scripts = Path(sys.executable).parent
    variables = os.environ | {"PATH": f"{scripts}:{os.environ['PATH']}", "HOME": str(home)}
    command = [sys.executable, "-m", "nbgrader", "autograde", assignment]
    return subprocess.Popen(
        command, cwd=course.root, env=variables, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )


def _ended(process: subprocess.Popen[str]) -> tuple[int, str]:
    output, _ = process.communicate(timeout=TIMEOUT_S)
    return process.returncode, output


def test_no_case_stops_nbgraders_batch(parts: dict[str, Part]) -> None:
    for part in {id(part): part for part in parts.values()}.values():
        assert part.code == 0, part.output[-4000:]


@pytest.mark.parametrize("case", read_cases(), ids=lambda case: case.name)
def test_nbgrader_gives_a_case_the_verdicts_and_points_that_are_due(parts: dict[str, Part], case: Case) -> None:
    course = parts[case.name].course
    graded = _graded(course, case)
    assert case.undue(verdicts_of(graded)) == {}
    assert points_of(graded) == points_for(case.verdicts, case.assignment) == _scores(course, case)
    assert not [word for word in TEST_WORDS if word in feedback_of(graded)]


def _graded(course: Course, case: Case) -> Graded:
    """What was stored of a submission: its record, and the notebook that formgrader shows, where one was handed in."""
    record = read_record(course, case.assignment, case.name)
    assert record is not None
    path = course.step("autograded", case.name, case.assignment, case.notebook)
    if _is_missing(record):
        assert not path.parent.exists()
        return Graded(record, {})
    return Graded(record, {path.stem: path.read_text(encoding="utf-8")})


def _is_missing(record: SubmissionRecord) -> bool:
    notes = (note for notebook in record.notebooks for note in notebook.notes)
    return any(note.startswith("Nothing could be run: there is no ") for note in notes)


def _scores(course: Course, case: Case) -> dict[str, float | None]:
    """Points of each graded cell as nbgrader's gradebook has them; None where a person must look."""
    with open_gradebook(course) as opened:
        grades = opened.find_submission(case.assignment, case.name).notebooks[0].grades
        return {grade.name: None if grade.needs_manual_grade else grade.auto_score for grade in grades}


def test_only_the_notebook_and_its_time_go_to_the_graded_folder(parts: dict[str, Part]) -> None:
    """Nothing else that was handed in: a link would carry what it leads to into the student's feedback."""
    for part in {id(part): part for part in parts.values()}.values():
        for case in part.cases:
            graded = part.course.step("autograded", case.name, case.assignment)
            names = {path.name for path in graded.iterdir()} if graded.exists() else set()
            assert names <= {case.notebook, "timestamp.txt"}, case.name
