"""Assignments in the manner of other people's courses, graded by plain nbgrader and by us, cell by cell.

Honest work gets no fewer points from us than from nbgrader; a mistake gets the same; the stub gets no more. What
differs stands in `expected.toml`, with the reason. At least nine tests in ten are judged apart from student code.

What nbgrader gives is on file (`nbgrader.jsonl`, by the digest of what was graded). What has changed since is graded by
nbgrader here, and so is a sample of the rest.
"""

from __future__ import annotations

import json
import random
import subprocess
import sys
from pathlib import Path

import pytest
from foreign_support import (
    STUB,
    Answer,
    Expected,
    ForeignAssignment,
    Points,
    Submission,
    all_submissions,
    assignments,
    foreign_course,
    grade_ours,
    outdated,
    read_answers,
    read_expected,
)

from tito.course.course import Course
from tito.models import Evidence, SubmissionRecord, Verdict

ROOT = Path(__file__).resolve().parents[2]
COMMAND = "scripts/foreign_answers.py"
SAMPLE = 1  # submissions of one assignment
APART = (Evidence.JUDGED, Evidence.REMOTE)
EXPECTED = read_expected()
ASSIGNMENTS = assignments()
Records = dict[str, SubmissionRecord]

# Where tests are to be generated, nbgrader starts a kernel and leaves its sockets to be collected.
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")


@pytest.fixture(scope="module")
def course(tmp_path_factory: pytest.TempPathFactory) -> Course:
    return foreign_course(tmp_path_factory.mktemp("foreign").resolve())


class Graded:
    """What we give, assignment by assignment, each graded when it is first asked for."""

    def __init__(self, course: Course) -> None:
        self._course = course
        self._records: dict[str, Records | Exception] = {}

    def of(self, assignment: ForeignAssignment) -> Records:
        if assignment.name not in self._records:
            try:
                self._records[assignment.name] = grade_ours(self._course, assignment)
            except Exception as error:  # noqa: BLE001  (raised again for each of its tests)
                self._records[assignment.name] = error
        records = self._records[assignment.name]
        if isinstance(records, Exception):
            raise records
        return records

    def points(self, assignment: ForeignAssignment, submission: Submission) -> Points:
        cells = self.of(assignment)[submission.name].cells
        return {cell.grade_id: cell.points for cell in cells if cell.grade_id in assignment.tests}


@pytest.fixture(scope="module")
def graded(course: Course) -> Graded:
    return Graded(course)


def ask_nbgrader(submissions: list[tuple[str, str]]) -> dict[tuple[str, str], Points]:
    """What nbgrader gives now, in a process in which nothing of ours is at work."""
    paths = ["/".join(key) for key in submissions]
    command = [sys.executable, ROOT / COMMAND, "--print", *paths]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-4000:]
    return {(assignment, submission): points for assignment, submission, points in json.loads(done.stdout)}


@pytest.fixture(scope="module")
def theirs() -> dict[tuple[str, str], Points]:
    """What nbgrader gives: on file, or asked now where that is of something else."""
    answers = read_answers()
    changed = [(name, submission) for name, submissions in outdated(answers).items() for submission in submissions]
    points = {key: answer.points for key, answer in answers.items()}
    return points | (ask_nbgrader(changed) if changed else {})


def _cases() -> list[object]:
    """A parameter for each submission. One with a fault of ours that is pending is a strict expected failure."""
    cases = []
    for assignment, submission in all_submissions():
        reasons = [line.why for line in EXPECTED if line.pending and line.covers(assignment.name, submission.name)]
        marks = [pytest.mark.xfail(strict=True, reason="; ".join(reasons))] if reasons else []
        cases.append(pytest.param(assignment, submission, marks=marks, id=f"{assignment.name}-{submission.name}"))
    return cases


@pytest.mark.parametrize(("assignment", "submission"), _cases())
def test_a_submission_gets_what_it_gets_from_nbgrader(
    assignment: ForeignAssignment, submission: Submission, graded: Graded, theirs: dict[tuple[str, str], Points]
) -> None:
    nbgrader, ours = theirs[assignment.name, submission.name], graded.points(assignment, submission)
    different = {cell for cell, points in nbgrader.items() if ours.get(cell) != points}
    record = graded.of(assignment)[submission.name]
    details = [(cell.grade_id, cell.message, cell.detail) for cell in record.cells if cell.grade_id in different]
    assert record.fault == ""
    assert different == _explained(assignment, submission), (ours, nbgrader, details)
    if submission.is_honest:
        assert ours == assignment.tests
    if submission.name == STUB:
        assert all((ours[cell] or 0) <= (points or 0) for cell, points in nbgrader.items())


def _explained(assignment: ForeignAssignment, submission: Submission) -> set[str]:
    lines = [line for line in EXPECTED if not line.pending and line.covers(assignment.name, submission.name)]
    return {line.cell for line in lines}


def test_what_nbgrader_gives_is_on_file() -> None:
    assert outdated(read_answers()) == {}, f"run .venv/bin/python {COMMAND}"


def test_a_sample_gets_from_nbgrader_what_is_on_file() -> None:
    answers = read_answers()
    draw = random.Random(repr(sorted(answers)))
    assignment = draw.choice(ASSIGNMENTS)
    names = draw.sample([submission.name for submission in assignment.submissions], SAMPLE)
    on_file = {(assignment.name, name): answers.get((assignment.name, name), Answer("", {})).points for name in names}
    assert ask_nbgrader(list(on_file)) == on_file


def test_nine_tests_in_ten_are_judged_apart_and_of_the_others_it_is_said_why(graded: Graded) -> None:
    cells = {}
    for assignment in ASSIGNMENTS:
        by_id = {cell.grade_id: cell for cell in graded.of(assignment)["reference"].cells}
        cells |= {(assignment.name, name): by_id[name] for name in assignment.tests}
    beside = {key: cell.why_in_process for key, cell in cells.items() if cell.evidence not in APART}
    assert len(beside) <= len(cells) / 10, beside
    assert all(beside.values()), beside


def test_nothing_is_ours_to_look_at(graded: Graded) -> None:
    for assignment in ASSIGNMENTS:
        for name, record in graded.of(assignment).items():
            assert not [cell for cell in record.cells if cell.verdict is Verdict.PLATFORM], (assignment.name, name)


def test_the_corpus_is_sound(theirs: dict[tuple[str, str], Points]) -> None:
    """Three honest styles and three mistakes for each assignment. To nbgrader honest work is right, but for what is
    said to be nbgrader's own fault; a mistake and the stub are not."""
    assert len(ASSIGNMENTS) >= 12
    for assignment, submission in all_submissions():
        points = theirs[assignment.name, submission.name]
        lost = {cell for cell, worth in assignment.tests.items() if points[cell] != worth}
        if submission.is_honest:
            assert lost <= _explained(assignment, submission), (assignment.name, submission.name)
        else:
            assert lost, (assignment.name, submission.name)
    for assignment in ASSIGNMENTS:
        kinds = [submission.kind for submission in assignment.submissions]
        assert kinds.count("honest") == kinds.count("mistake") == 3, assignment.name


@pytest.mark.parametrize("line", EXPECTED, ids=lambda line: f"{line.assignment}-{line.cell}")
def test_what_is_expected_is_of_this_corpus(line: Expected) -> None:
    (assignment,) = (assignment for assignment in ASSIGNMENTS if assignment.name == line.assignment)
    assert line.cell in assignment.tests or line.cell == "*"
    assert set(line.submissions) <= {submission.name for submission in assignment.submissions}
    assert line.why


def test_a_table_of_what_was_graded(
    graded: Graded, theirs: dict[tuple[str, str], Points], capsys: pytest.CaptureFixture[str]
) -> None:
    """A line for each assignment, printed: points of ours and of nbgrader's for honest work, mistakes and the stub."""
    lines = [f"{'assignment':20} {'tests':>5} {'apart':>5}  {'honest ours/nbgrader':>20}  {'others ours/nbgrader':>20}"]
    for assignment in ASSIGNMENTS:
        records = graded.of(assignment)
        apart = [cell for cell in records["reference"].cells if cell.evidence in APART]
        columns = []
        for honest in (True, False):
            mine = [submission for submission in assignment.submissions if submission.is_honest is honest]
            ours = sum(points or 0 for each in mine for points in graded.points(assignment, each).values())
            nbgrader = sum(points or 0 for each in mine for points in theirs[assignment.name, each.name].values())
            columns.append(f"{ours:g} / {nbgrader:g}")
        lines.append(
            f"{assignment.name:20} {len(assignment.tests):5} {len(apart):5}  {columns[0]:>20}  {columns[1]:>20}"
        )
    assert len(lines) == 1 + len(ASSIGNMENTS)
    with capsys.disabled():
        print("", *lines, sep="\n")  # noqa: T201  (the table is what it is run for)
