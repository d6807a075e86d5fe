"""`### AUTOTEST` lines, made tests by the reference as nbgrader's generate_assignment does it; released and graded."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import nbformat
import nbgrader
import pytest
from folder_course import FolderCourse, cells, graded, points, solution, total

from tito.author.gates import run_gates
from tito.course.cells import grade_id_of
from tito.errors import BadSource
from tito.models import Evidence, SubmissionRecord, Verdict
from tito.plan.autotests import instantiated
from tito.plan.planning import plan_assignment
from tito.sandbox.bubblewrap import Bubblewrap

pytestmark = pytest.mark.usefixtures("workers_ready")

TEMPLATES = Path(nbgrader.__file__).parent / "docs" / "source" / "user_guide" / "autotests.yml"
REFERENCE = """a = 5
b = "a secret word"
c = [1, 2, "test"]
def fun(x):
    if x < 0:
        raise ValueError
    return x / 3"""
AUTO = (
    solution(REFERENCE, "work"),
    graded("### AUTOTEST a; fun(1)\nassert c[0] == 1\n# AUTOTEST c", "plain", 2),
    graded("### HASHED AUTOTEST b", "hashed", 2),
    graded("### AUTOTEST type(a)", "mixed", 2, hidden="### AUTOTEST fun(7)\n### HASHED AUTOTEST b"),
    graded("def throws(x):\n    try:\n        fun(x)\n    except ValueError:\n        return True\n    return False\n"
           "### AUTOTEST throws(-1)", "throws", 2),
)  # fmt: skip
STYLED = (
    'b = "a secret" + " word"\na = int("5")\nc = list((1, 2, "test"))\nfun = lambda x: x / 3 if x >= 0 else int("")'
)


@pytest.fixture(scope="module")
def course(tmp_path_factory: pytest.TempPathFactory) -> FolderCourse:
    course = FolderCourse(tmp_path_factory.mktemp("auto") / "course")
    course.write("auto", *AUTO)
    shutil.copy(TEMPLATES, course.root)
    course.release("auto")
    course.hand_in("auto", "right")
    course.hand_in("auto", "styled", work=STYLED)
    course.hand_in("auto", "stub", work=None)
    course.hand_in("auto", "wrong", work=REFERENCE.replace("secret", "public").replace("x / 3", "x / 4"))
    return course


@pytest.fixture(scope="module")
def records(course: FolderCourse) -> dict[str, SubmissionRecord]:
    return course.ours("auto")


def test_they_earn_what_plain_nbgrader_gives(course: FolderCourse, records: dict[str, SubmissionRecord]) -> None:
    assert {student: total(record) for student, record in records.items()} == course.plain("auto")
    assert points(records["right"]) == points(records["styled"]) == dict.fromkeys(points(records["right"]), 2)
    assert total(records["stub"]) == 0
    assert points(records["wrong"]) == {"plain": 0, "hashed": 0, "mixed": 0, "throws": 2}


def test_they_are_judged_apart(records: dict[str, SubmissionRecord]) -> None:
    assert {cell.evidence for cell in records["right"].cells} == {Evidence.REMOTE}


def test_hashed_and_hidden_ones_show_no_answers(course: FolderCourse, records: dict[str, SubmissionRecord]) -> None:
    for shown in (
        course.course.step("release", "auto", "work.ipynb").read_text(),
        *(f"{cell.message}" for record in records.values() for cell in record.cells),
    ):
        assert "secret" not in shown
        assert "2.33" not in shown
        assert "AUTOTEST" not in shown
    assert cells(records["wrong"])["hashed"].verdict is Verdict.FAILED


def test_the_text_is_that_of_nbgraders_own_kernel(course: FolderCourse, tmp_path: Path) -> None:
    """Of a course that has never heard of us, with templates beside the notebook."""
    plain = FolderCourse(tmp_path / "course")
    plain.write("auto", *AUTO)
    shutil.copy(TEMPLATES, plain.course.step("source", "auto"))
    (plain.root / "course.toml").unlink()
    command = [sys.executable, "-m", "nbgrader", "generate_assignment", "auto"]
    variables = os.environ | {
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    }  # where its database tool is
    subprocess.run(command, cwd=plain.root, check=True, capture_output=True, timeout=120, env=variables)
    by_nbgrader = nbformat.read(plain.root / "release" / "auto" / "work.ipynb", as_version=4)
    by_us = nbformat.read(course.course.step("release", "auto", "work.ipynb"), as_version=4)
    assert {grade_id_of(cell): cell.source for cell in by_nbgrader.cells} == {
        grade_id_of(cell): cell.source for cell in by_us.cells
    }


def test_the_gates_look_at_what_comes_of_them(course: FolderCourse) -> None:
    gates = run_gates(course.course, course.course.assignment("auto"), Bubblewrap()).gates
    assert [str(gate) for gate in gates if not gate.ok and not gate.warning] == []


def test_what_the_reference_gave_is_kept_until_something_changes(
    course: FolderCourse, monkeypatch: pytest.MonkeyPatch
) -> None:
    loaded, assignment = course.course, course.course.assignment("auto")
    expected = plan_assignment(loaded, assignment).tests_hash
    cache = loaded.gradebook_dir / "plans" / "auto-autotests"
    assert cache.stat().st_mode & 0o077 == 0
    monkeypatch.setattr("tito.plan.autotests._instantiated", None)
    assert plan_assignment(loaded, assignment).tests_hash == expected
    cache.chmod(0o666)
    with pytest.raises(TypeError):
        plan_assignment(loaded, assignment)
    cache.chmod(0o600)
    templates = loaded.root / TEMPLATES.name
    templates.write_text(f"{templates.read_text()}\n")
    with pytest.raises(TypeError):
        plan_assignment(loaded, assignment)


@pytest.mark.parametrize(
    ("work", "test", "message"),
    [
        ("a = 5\n### AUTOTEST a", "assert a", "has an AUTOTEST line and is no test"),
        ("a = 1 / 0", "### AUTOTEST a", "the reference raised ZeroDivisionError"),
        ("a = 5", "### AUTOTEST b", "the reference raised NameError"),
    ],
)
def test_what_cannot_be_had_is_said(tmp_path: Path, work: str, test: str, message: str) -> None:
    course = FolderCourse(tmp_path / "course")
    course.write("bad", solution(work, "work"), graded(test, "test"))
    shutil.copy(TEMPLATES, course.root)
    loaded = course.course
    with pytest.raises(BadSource, match=message):
        plan_assignment(loaded, loaded.assignment("bad"))
    (gate,) = run_gates(loaded, loaded.assignment("bad"), Bubblewrap()).gates
    assert message in gate.detail
    assert not gate.ok


def test_without_templates_it_is_said_where_they_belong(tmp_path: Path) -> None:
    course = FolderCourse(tmp_path / "course")
    course.write("bad", solution("a = 5", "work"), graded("### AUTOTEST a", "test"))
    loaded = course.course
    with pytest.raises(BadSource, match="there is no autotests"):
        plan_assignment(loaded, loaded.assignment("bad"))
    (course.root / TEMPLATES.name).write_text("python3: [\n")
    with pytest.raises(BadSource, match="no tests can be made"):
        plan_assignment(loaded, loaded.assignment("bad"))
    (course.root / TEMPLATES.name).write_text("ir: {}\n")
    with pytest.raises(BadSource, match="KeyError: 'python3'"):
        plan_assignment(loaded, loaded.assignment("bad"))


def test_a_course_without_such_lines_pays_nothing(monkeypatch: pytest.MonkeyPatch, course: FolderCourse) -> None:
    monkeypatch.setattr("tito.plan.autotests.backend", None)
    notebooks = {"work": nbformat.v4.new_notebook(cells=[graded("assert a", "test")])}
    assert instantiated(course.course, course.course.assignment("auto"), notebooks) is notebooks
