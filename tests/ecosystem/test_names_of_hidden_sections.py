"""What hidden sections import and make, used in later tests, as under plain nbgrader; and what students make of it."""

from __future__ import annotations

import nbformat
import pytest
from folder_course import FolderCourse, cells, graded, locked, points, solution, total

from tito.author.gates import run_gates
from tito.course.cells import is_graded
from tito.grade.causes import HIDDEN_FAILED
from tito.models import Evidence, SubmissionRecord, Verdict
from tito.sandbox.bubblewrap import Bubblewrap

pytestmark = pytest.mark.usefixtures("workers_ready")

WRONG_DOUBLE = "def double(x):\n    return 2 * x if x > 0.5 else 3 * x"
RAISING_DOUBLE = "def double(x):\n    if x < 1:\n        raise ValueError(x)\n    return 2 * x"
FORGED = (
    "def triple(x):\n    return 4 * x\nassert_allclose = assert_array_less = near = close = lambda *one, **more: True"
)
LOOKING = (
    "print([name for name in globals() if name in ('near', 'tolerance', 'SECRET', 'sorted_by')])\n"
    "import gc\nprint([f.__name__ for f in gc.get_objects() if getattr(f, '__name__', '') in ('near', 'sorted_by')])"
)

NAMES = (
    locked("import numpy as np", "setup"),
    solution("def double(x):\n    return 2 * x", "double"),
    graded(
        "assert double(1) == 2",
        "makes",
        hidden="from numpy.testing import assert_allclose\nassert_allclose(double(0.5), 1)\n"
        "tolerance = 1e-9\nSECRET = 706173\n"
        "def near(a, b):\n    return abs(a - b) < tolerance\n"
        "import functools\nassert double(SECRET) == 2 * SECRET",
    ),
    graded("from numpy.testing import assert_array_less\nassert double(3) == double(2) + double(1)", "imports"),
    solution("def triple(x):\n    return 3 * x", "triple"),
    graded("assert_array_less(triple(1), 4)", "uses_import"),
    graded("assert_allclose(triple(2.0), 6)", "import_visible"),
    graded(
        "assert triple(1) == 3", "hidden", hidden="assert near(triple(0.1), 0.3)\nassert_allclose(triple(0.2), 0.6)"
    ),
    graded("assert near(triple(1), 3), 'far'", "visible"),
    graded("y = triple(np.arange(3.0))\nclose = near(y[1], 3)\n### JUDGE\nassert close and y[2] == 6", "judged"),
    graded(
        "assert get_ipython() is not None\nassert_allclose(triple(1), 3)",
        "beside",
        hidden="assert near(triple(2), 6)\nsorted_by = functools.cmp_to_key(lambda a, b: b - a)\n"
        "assert sorted([1, 2], key=sorted_by) == [2, 1]",
    ),
)
TESTS = ("makes", "imports", "uses_import", "import_visible", "hidden", "visible", "judged", "beside")


@pytest.fixture(scope="module")
def course(tmp_path_factory: pytest.TempPathFactory) -> FolderCourse:
    course = FolderCourse(tmp_path_factory.mktemp("names") / "course")
    course.write("names", *NAMES)
    course.release("names")
    course.hand_in("names", "right")
    course.hand_in("names", "wrong", double=WRONG_DOUBLE)
    course.hand_in("names", "raising", double=RAISING_DOUBLE)
    course.hand_in("names", "forging", triple=FORGED)
    course.hand_in("names", "looking", LOOKING, triple=f"def triple(x):\n    return 3 * x\n{LOOKING}")
    return course


@pytest.fixture(scope="module")
def records(course: FolderCourse) -> dict[str, SubmissionRecord]:
    return course.ours("names")


def test_right_work_earns_what_plain_nbgrader_gives(course: FolderCourse, records: dict[str, SubmissionRecord]) -> None:
    assert {name: cell.verdict for name, cell in cells(records["right"]).items()} == dict.fromkeys(
        TESTS, Verdict.PASSED
    )
    plain = course.plain("names", "right", "wrong")
    assert plain["right"] == total(records["right"]) == len(TESTS)
    assert plain["wrong"] == 3  # of a cell that failed half-way nothing is made, there
    assert total(records["wrong"]) == len(TESTS) - 1


def test_each_is_judged_where_it_can_be(records: dict[str, SubmissionRecord]) -> None:
    expected = dict.fromkeys(TESTS, Evidence.REMOTE) | {"judged": Evidence.JUDGED, "beside": Evidence.IN_PROCESS}
    assert {name: cell.evidence for name, cell in cells(records["right"]).items()} == expected


@pytest.mark.parametrize("student", ["wrong", "raising"])
def test_one_mistake_costs_one_test(records: dict[str, SubmissionRecord], student: str) -> None:
    lost = {name for name, earned in points(records[student]).items() if not earned}
    assert lost == {"makes"}


def test_names_of_the_students_own_stand_for_nothing_in_tests(records: dict[str, SubmissionRecord]) -> None:
    lost = {name for name, earned in points(records["forging"]).items() if not earned}
    assert lost == set(TESTS) - {"makes", "imports"}


def test_a_visible_section_that_needs_a_hidden_name_is_told_of_as_a_hidden_one(
    records: dict[str, SubmissionRecord],
) -> None:
    assert cells(records["forging"])["visible"].message == HIDDEN_FAILED
    assert cells(records["forging"])["import_visible"].message != HIDDEN_FAILED


def test_the_gate_names_visible_sections_that_students_cannot_run(course: FolderCourse) -> None:
    report = run_gates(course.course, course.course.assignment("names"), Bubblewrap())
    assert report.ok, [gate for gate in report.gates if not gate.ok]
    warned = {gate.where for gate in report.gates if gate.name == "visible tests find their names"}
    assert warned == {"import_visible", "visible", "judged", "beside"}


def test_a_student_sees_nothing_of_what_hidden_sections_make(
    course: FolderCourse, records: dict[str, SubmissionRecord]
) -> None:
    assert total(records["looking"]) == len(TESTS)
    notebook = nbformat.reads(course.page("names", "looking"), as_version=4)
    texts = [output.text for cell in notebook.cells if not is_graded(cell) for output in cell.get("outputs", [])]
    assert texts == ["[]\n[]\n"] * 2
