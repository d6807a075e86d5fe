"""Partial credit by a cell's last value: what plain nbgrader gives, and nothing for who forges the display."""

from __future__ import annotations

import nbformat
import pytest
from folder_course import FolderCourse, cells, graded, locked, points, solution, total

from tito.author.gates import run_gates
from tito.models import Evidence, SubmissionRecord, Verdict
from tito.sandbox.bubblewrap import Bubblewrap

pytestmark = pytest.mark.usefixtures("workers_ready")

HALF = "def square(x):\n    return x * x if x < 2 else 3"
DISPLAYS = """
import builtins, IPython
from IPython import get_ipython
shell = get_ipython()
shell.display_formatter.format = lambda value, *_, **__: ({"text/plain": "2"}, {})
type(shell.displayhook).__call__ = lambda self, value=None: None
shell.ast_node_interactivity = "none"
builtins.repr = builtins.float = lambda value: "2.0"
_last_value_of_test = 2
"""
LIES = """
class Two(int):
    def __eq__(self, other): return 2
    def __radd__(self, other): return 2
    def __rmul__(self, other): return 2
    def __repr__(self): return "2"
class Yes:
    __eq__ = __radd__ = __rmul__ = __add__ = __mul__ = lambda self, other: self
    __bool__ = lambda self: True
    __repr__ = lambda self: "2"
def square(x):
    return Yes() if x == 2 else Two(3)
"""
ARRAY = "np.array([1.0, 1.0]) if x > 1 else np.array([1.0])"

CREDIT = (
    locked("import numpy as np", "setup"),
    solution("def square(x):\n    return x * x", "square"),
    graded("score = 0\nif square(1) == 1:\n    score += 0.5\nscore += 1.5 * (square(2) == 4)\nscore", "apart", 2),
    graded(
        "score = 0.5 * (square(1) == 1)",
        "mixed",
        2,
        hidden="assert square(0) == 0\nscore += 0.5 * (square(3) == 9)",
        then="score += square(2) == 4\nscore",
    ),
    graded("one, two = square(1), square(2)\n### JUDGE\n0.5 * (one == 1) + 1.5 * (two == 4)", "judged", 2),
    graded(
        "assert get_ipython() is not None\n0.5 + 1.5 * (square(2) == 4)",
        "beside",
        2,
    ),
    solution("def order(values):\n    return sorted(values)", "order"),
    graded("given = [3, 1]\nfloat(order(given) == [1, 3]) + float(given == [3, 1])", "left_alone", 2),
    graded("1.5 - abs(square(2) - 4) + 0.5 * (square(1) == 1)", "distance", 2),
    graded("assert square(1) == 1\n[square(2)]", "no_number", 2),
    graded("assert square(1) == 1\n0.5 * square(1);", "not_shown", 2),
    graded("assert square(1) == 1\n-0.5", "below", 2),
    graded("assert square(1) == 1\nnp.float64(0.5)", "of_numpy", 2),
    graded("%precision\nassert square(1) == 1\n0.25", "magic", 2),
)
FULL = {"no_number": 2, "not_shown": 2, "below": 2, "of_numpy": 2, "magic": 0.25}


@pytest.fixture(scope="module")
def course(tmp_path_factory: pytest.TempPathFactory) -> FolderCourse:
    course = FolderCourse(tmp_path_factory.mktemp("credit") / "course")
    course.write("credit", *CREDIT)
    course.release("credit")
    course.hand_in("credit", "right")
    course.hand_in("credit", "half", square=HALF)
    course.hand_in("credit", "displays", square=HALF + DISPLAYS)
    course.hand_in("credit", "lies", square=LIES)
    course.hand_in("credit", "arrays", square=f"def square(x):\n    return {ARRAY}")
    course.hand_in("credit", "nan", square="def square(x):\n    return 1 if x == 1 else float('nan')")
    course.hand_in(
        "credit", "numpy", square="def square(x):\n    return np.float64(x) ** 2 if x < 2 else np.float64(3)"
    )
    course.hand_in("credit", "changes", order="def order(values):\n    values.sort()\n    return values")
    course.write("over", solution("def f(x):\n    return x", "f"), graded("assert f(1) == 1\n3.5", "over", 2))
    course.release("over")
    course.hand_in("over", "right")
    return course


@pytest.fixture(scope="module")
def records(course: FolderCourse) -> dict[str, SubmissionRecord]:
    return course.ours("credit")


def test_right_and_half_right_work_earn_what_plain_nbgrader_gives(
    course: FolderCourse, records: dict[str, SubmissionRecord]
) -> None:
    assert (
        points(records["right"])
        == {"apart": 2, "mixed": 2, "judged": 2, "beside": 2, "left_alone": 2, "distance": 2} | FULL
    )
    assert (
        points(records["half"])
        == {"apart": 0.5, "mixed": 0.5, "judged": 0.5, "beside": 0.5, "left_alone": 2, "distance": 1} | FULL
    )
    plain = course.plain("credit", "right", "half", "displays")
    assert plain["right"] == total(records["right"])
    assert plain["half"] == total(records["half"])
    assert plain["displays"] > plain["half"]  # what is protected here


def test_they_are_in_the_gradebook_and_in_the_graded_notebook(
    course: FolderCourse, records: dict[str, SubmissionRecord]
) -> None:
    from nbgrader.utils import determine_grade

    assert course.scores("credit", "half") == points(records["half"])
    notebook = nbformat.reads(course.page("credit", "half"), as_version=4)
    shown = {cell.metadata.nbgrader.grade_id: cell for cell in notebook.cells if cell.metadata.nbgrader.grade}
    assert determine_grade(shown["judged"]) == (0.5, 2)
    half = cells(records["half"])["judged"]
    assert (half.verdict, half.message) == (Verdict.FAILED, "Partial credit: 0.5 of 2 points.")


def test_each_is_judged_where_it_can_be(records: dict[str, SubmissionRecord]) -> None:
    evidence = {name: cell.evidence for name, cell in cells(records["half"]).items()}
    in_process = dict.fromkeys(("beside", "magic"), Evidence.IN_PROCESS)
    assert evidence == dict.fromkeys(evidence, Evidence.REMOTE) | {"judged": Evidence.JUDGED} | in_process


def test_hooks_of_the_display_have_no_hand_in_points(records: dict[str, SubmissionRecord]) -> None:
    """But for what IPython has to run and show: it is told there as what can be forged."""
    forged, honest = points(records["displays"]), points(records["half"])
    more = {name for name, earned in forged.items() if (earned or 0.0) > (honest[name] or 0.0)}
    assert more <= {"magic"}


@pytest.mark.parametrize("test", ["apart", "mixed", "judged"])
def test_values_that_lie_about_themselves_earn_nothing_where_points_are_judged_apart(
    records: dict[str, SubmissionRecord], test: str
) -> None:
    assert not points(records["lies"])[test]


@pytest.mark.parametrize("student", ["arrays", "nan", "numpy"])
def test_what_nbgrader_takes_for_full_credit_is_none_where_the_reference_gives_points(
    course: FolderCourse, records: dict[str, SubmissionRecord], student: str
) -> None:
    earned = points(records[student])
    assert all((earned[test] or 0.0) <= 0.5 for test in ("apart", "mixed", "judged", "beside")), earned
    assert (earned["distance"] or 0.0) <= 1
    assert course.plain("credit", student)[student] > total(records[student])


def test_points_of_numpys_type_are_as_many(records: dict[str, SubmissionRecord]) -> None:
    earned = points(records["numpy"])
    assert {name: earned[name] for name in ("apart", "judged")} == {"apart": 0.5, "judged": 0.5}


def test_who_changes_what_is_to_be_left_alone_loses_points_for_that(
    course: FolderCourse, records: dict[str, SubmissionRecord]
) -> None:
    assert points(records["changes"])["left_alone"] == 1
    assert course.plain("credit", "changes")["changes"] == total(records["changes"])


def test_more_points_than_there_are_wait_for_a_person(course: FolderCourse) -> None:
    (cell,) = course.ours("over")["right"].cells
    assert (cell.verdict, cell.points) == (Verdict.MANUAL, None)
    assert "3.5" in cell.detail
    assert course.scores("over", "right") == {"over": None}


def test_the_gate_refuses_them_and_warns_of_values_that_are_no_number(course: FolderCourse) -> None:
    over = run_gates(course.course, course.course.assignment("over"), Bubblewrap())
    assert [gate.where for gate in over.gates if not gate.ok and "earns every point" in gate.name] == ["over"]
    gates = run_gates(course.course, course.course.assignment("credit"), Bubblewrap()).gates
    warned = {gate.where for gate in gates if gate.name == "partial credit is a number"}
    assert warned == {"no_number", "below", "of_numpy"}
    lost = {gate.where for gate in gates if not gate.ok and gate.name == "the reference earns every point"}
    assert lost == {"magic"}
