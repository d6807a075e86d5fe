"""Folders of notebooks as other people's courses have them, graded by us and by plain nbgrader: what their tests ask of
the process that runs them, and assignments that are alike."""

from __future__ import annotations

import pytest
from folder_course import FolderCourse, cells, graded, locked, solution, total

from tito.bridge import converter
from tito.gradebook.records import read_record
from tito.models import Evidence, SubmissionRecord
from tito.plan.planning import plan_assignment

pytestmark = pytest.mark.usefixtures("workers_ready")

IS_GRADED = "os.environ.get('NBGRADER_EXECUTION') == 'autograde' and 'NBGRADER_VALIDATING' not in os.environ"
ASKS = (
    solution("import os\ndef mode():\n    return os.environ.get('NBGRADER_EXECUTION')", "mode"),
    graded(f"import os\nassert {IS_GRADED}", "in_judge"),
    graded("assert mode() == 'autograde'", "in_notebook"),
    graded(
        "seen = mode()\n### JUDGE\nimport os\nassert seen == os.getenv('NBGRADER_EXECUTION') == 'autograde'", "both"
    ),
    graded(
        f"assert get_ipython() is not None\nassert {IS_GRADED}",
        "beside",
        hidden=f"assert {IS_GRADED}",
    ),
    graded("assert mode()", "in_copy", hidden=f"assert {IS_GRADED}\nassert mode() == 'autograde'"),
)
LEAVES = "import os\nos.environ['NBGRADER_EXECUTION'] = 'validate'\ndef mode():\n    return 'autograde'"
AGAIN = (
    locked("import numpy as np\nimport math\nfrom statistics import mean", "setup"),
    solution("import os\ndef area(r):\n    return math.pi * np.sum(r) ** 2 + len(os.sep) - mean([1, 1])", "area"),
    graded("import numpy as np\nassert round(area(np.ones(2))) == 13", "numpy"),
    graded("import math\nfrom statistics import mean\nassert area([mean([1, 1])]) == math.pi", "others"),
    graded("import os\nbefore, math.pi = math.pi, 3\nassert area([1]) == 3\nmath.pi = before", "replaced"),
    graded(
        "import types\nreal, math = math, types.SimpleNamespace(pi=3)\nassert area([1]) == 3\nmath = real", "stands_in"
    ),
)


@pytest.fixture(scope="module")
def course(tmp_path_factory: pytest.TempPathFactory) -> FolderCourse:
    course = FolderCourse(tmp_path_factory.mktemp("beside") / "course")
    course.write("asks", *ASKS)
    course.write("again", *AGAIN)
    for assignment in ("asks", "again"):
        course.release(assignment)
        course.hand_in(assignment, "right")
    course.hand_in("asks", "leaves", mode=LEAVES)
    return course


@pytest.fixture(scope="module")
def records(course: FolderCourse) -> dict[str, SubmissionRecord]:
    return course.ours("asks")


def test_tests_know_everywhere_that_they_are_graded(course: FolderCourse, records: dict[str, SubmissionRecord]) -> None:
    assert total(records["right"]) == course.plain("asks", "right")["right"] == len(ASKS) - 1


def test_who_says_that_nothing_is_graded_is_not_believed(records: dict[str, SubmissionRecord]) -> None:
    assert total(records["leaves"]) == len(ASKS) - 1
    assert any("os.environ['NBGRADER_EXECUTION']" in note for note in records["leaves"].notebooks[0].notes)


def test_a_test_that_imports_once_more_what_the_notebook_has_is_judged_apart(course: FolderCourse) -> None:
    record = course.ours("again")["right"]
    assert total(record) == course.plain("again")["right"] == 4
    evidence = {name: cell.evidence for name, cell in cells(record).items()}
    assert evidence["numpy"] == evidence["others"] == Evidence.REMOTE


def test_assignments_that_are_alike_have_records_of_their_own(tmp_path_factory: pytest.TempPathFactory) -> None:
    """By `nbgrader autograde` in one process, which keeps a worker and its sandbox."""
    course = FolderCourse(tmp_path_factory.mktemp("alike") / "course")
    alike = (solution("def f(x):\n    return x", "f"), graded("assert f(1) == 1", "test_f"))
    course.write("first", *alike)
    course.write("second", *alike, name="other")
    for assignment in ("first", "second"):
        course.release(assignment)
        course.hand_in(assignment, "ada")
        plan = plan_assignment(course.course, course.course.assignment(assignment))
        converter.grade_and_record(course.course, plan, "ada", notebooks=True)
    converter._grader.close()
    for assignment, name in (("first", "work"), ("second", "other")):
        record = read_record(course.course, assignment, "ada")
        assert record is not None
        assert (record.assignment, record.notebooks[0].notebook) == (assignment, name)
        assert course.scores(assignment, "ada") == {"test_f": 1}
