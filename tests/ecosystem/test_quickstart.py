"""nbgrader's own quickstart course, as it is: graded by us, and beside us by plain nbgrader."""

from __future__ import annotations

import os
from typing import Any

import nbformat
import pytest
from nbgrader_forks import nbgrader_forks

from tito.author.gates import run_gates
from tito.author.release import publish
from tito.author.variants import filled, solutions
from tito.cli.demo import plain_nbgrader_scores
from tito.course.cells import grade_id_of, kind_of
from tito.course.course import Assignment, Course, load_course
from tito.course.script import source_notebooks
from tito.grade.cohort import autograde
from tito.gradebook.records import read_record
from tito.models import CellKind, Evidence, SubmissionRecord, Verdict
from tito.plan.planning import plan_assignment
from tito.sandbox.bubblewrap import Bubblewrap

pytestmark = pytest.mark.usefixtures("workers_ready")

RIGHT = {
    "ada": {},
    "bob": {
        "squares": "import numpy as np\n\ndef squares(n):\n    if n <= 0:\n        raise ValueError\n"
                   "    return list(np.arange(1, n + 1) ** 2)",
        "sum_of_squares": "def sum_of_squares(n):\n    total = 0\n    for one in squares(n):\n        total += one\n"
                          "    return total",
    },
}  # fmt: skip
WRONG = {
    "cid": {"squares": "def squares(n):\n    return [i ** 2 for i in range(n)]"},
    "dan": {"sum_of_squares": "def sum_of_squares(n):\n    return n * (n + 1) * (2 * n + 1) // 6"},
    "eve": {"squares": "class Yes(list):\n    __eq__ = lambda self, other: True\n\ndef squares(n):\n"
                       "    if n < 1:\n        raise ValueError(n)\n    return Yes()"},
}  # fmt: skip


@pytest.fixture(scope="module")
def course(tmp_path_factory: pytest.TempPathFactory) -> Course:
    """The course as `nbgrader quickstart` makes it, with an id for us, released and handed in."""
    folder = tmp_path_factory.mktemp("quickstart")
    assert nbgrader_forks()(folder, dict(os.environ), "quickstart", "course101").code == 0
    (folder / "course101" / "course.toml").write_text('id = "course101"\n')
    course = load_course((folder / "course101").resolve())
    assignment = course.assignment("ps1")
    release = publish(course, assignment)
    for student, replaced in (RIGHT | WRONG).items():
        target = course.step("submitted", student, "ps1")
        target.mkdir(parents=True)
        for name, source in source_notebooks(course, assignment).items():
            released = nbformat.read(release / f"{name}.ipynb", as_version=4)
            nbformat.write(_solved(released, source, replaced), target / f"{name}.ipynb")
    return course


def _solved(released: Any, source: Any, replaced: dict[str, str]) -> Any:
    notebook = filled(released, solutions(source))
    for cell in notebook.cells:
        if grade_id_of(cell) in replaced:
            cell.source = replaced[grade_id_of(cell)]
    return notebook


@pytest.fixture(scope="module")
def assignment(course: Course) -> Assignment:
    return course.assignment("ps1")


@pytest.fixture(scope="module")
def records(course: Course, assignment: Assignment) -> dict[str, SubmissionRecord]:
    """What came of grading all students."""
    autograde(course, assignment, Bubblewrap())
    records = {student: read_record(course, "ps1", student) for student in RIGHT | WRONG}
    return {student: record for student, record in records.items() if record is not None}


def verdicts(record: SubmissionRecord) -> dict[str, tuple[Verdict, Evidence]]:
    return {cell.grade_id: (cell.verdict, cell.evidence) for cell in record.cells if cell.verdict is not Verdict.MANUAL}


@pytest.fixture(scope="module")
def plain(course: Course, assignment: Assignment) -> dict[str, float]:
    """What plain nbgrader gives."""
    return plain_nbgrader_scores(course, assignment, (*RIGHT, "cid", "eve"))


def test_honest_work_earns_what_plain_nbgrader_gives(
    plain: dict[str, float], records: dict[str, SubmissionRecord]
) -> None:
    ours = {student: sum(cell.points or 0.0 for cell in records[student].cells) for student in RIGHT}
    assert {student: plain[student] for student in RIGHT} == ours
    assert all(points > 0 for points in ours.values())


def test_every_test_is_judged_apart_from_student_code(records: dict[str, SubmissionRecord], course: Course) -> None:
    cells = [
        cell for notebook in source_notebooks(course, course.assignment("ps1")).values() for cell in notebook.cells
    ]
    names = {grade_id_of(cell) for cell in cells if kind_of(cell) is CellKind.TEST}
    assert len(names) >= 4
    for student in RIGHT:
        assert verdicts(records[student]) == dict.fromkeys(names, (Verdict.PASSED, Evidence.REMOTE))


@pytest.mark.parametrize(
    ("student", "lost"),
    [
        ("cid", {"correct_squares", "squares_invalid_input", "correct_sum_of_squares"}),
        ("dan", {"sum_of_squares_uses_squares"}),
        ("eve", {"correct_squares", "correct_sum_of_squares"}),
    ],
)
def test_wrong_work_loses_the_tests_that_it_gets_wrong(
    student: str, lost: set[str], records: dict[str, SubmissionRecord]
) -> None:
    by_test = verdicts(records[student])
    assert {name for name, (verdict, _) in by_test.items() if verdict is not Verdict.PASSED} == lost


def test_plain_nbgrader_believes_a_list_that_says_it_equals_everything(plain: dict[str, float]) -> None:
    """What is protected here: the same forged answer earns points beside student code."""
    assert plain["eve"] > plain["cid"]


def test_nbgraders_own_autograde_judges_apart_too(course: Course, records: dict[str, SubmissionRecord]) -> None:
    """Through what `nbgrader autograde` and formgrader's button run."""
    from tito.bridge import converter as preprocess

    plan = plan_assignment(course, course.assignment("ps1"))
    assert verdicts(preprocess.grade_and_record(course, plan, "eve", notebooks=True).record) == verdicts(records["eve"])
    preprocess._grader.close()  # it would end with the process


def test_the_release_gate_says_which_tests_run_beside_student_code(course: Course, assignment: Assignment) -> None:
    (apart,) = [
        gate for gate in run_gates(course, assignment, Bubblewrap()).gates if gate.name == "tests are judged apart"
    ]
    assert apart.ok
    assert apart.detail == "every test"
