"""What notebooks import: found in the assignments, named where it is not there, and recorded with the grade."""

from __future__ import annotations

import json
import platform
import tomllib
from importlib.metadata import version
from pathlib import Path

import pytest
from command_line import Tito, command_line
from notebook_course import cell, graded, hand_in, solution, write_notebook, write_settings

from tito.author.release import publish
from tito.course.course import load_course
from tito.feedback.pages import write_pages
from tito.gradebook.records import read_record
from tito.models import Verdict

pytestmark = pytest.mark.usefixtures("workers_ready")

FRAME = [
    cell("%matplotlib inline\nimport pandas as pd"),
    solution("def total(frame):\n    return frame['x'].sum()", "total"),
    graded("assert total(pd.DataFrame({'x': [1, 2]})) == 3", "test_total"),
]
OPTIONAL = "try:\n    import not_installed_anywhere\nexcept ImportError:\n    not_installed_anywhere = None"
ABSENT = "not_installed_anywhere"


@pytest.fixture
def tito_in(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Tito:
    return command_line(monkeypatch, capsys)


def test_a_pandas_course_needs_no_editing(tito_in: Tito, tmp_path: Path) -> None:
    write_notebook(tmp_path, [*FRAME, cell(OPTIONAL)])
    shown = tito_in(tmp_path, "init")
    assert "pandas: imported in ps1/ps1.ipynb" in shown.err
    assert ABSENT not in shown.err
    course = load_course(tmp_path)
    assert course.sandbox.packages == ("ipython", "matplotlib", "numpy", "pandas")
    publish(course, course.assignment("ps1"))
    hand_in(course, "ada")
    assert tito_in(tmp_path, "autograde", "ps1").code == 0
    record = read_record(course, "ps1", "ada")
    assert record is not None
    assert [(each.grade_id, each.points) for each in record.cells] == [("test_total", 2.0)]
    versions = {name: version(name) for name in course.sandbox.packages}
    assert record.packages == {"python": platform.python_version()} | versions
    (printed,) = json.loads(tito_in(tmp_path, "autograde", "ps1", "--json").out)
    assert printed["packages"]["pandas"] == version("pandas")


@pytest.mark.parametrize("command", ["check", "release", "autograde"])
def test_a_package_that_the_course_does_not_name_is_told_before_anybody_is_graded(
    command: str, tito_in: Tito, tmp_path: Path
) -> None:
    write_notebook(tmp_path, FRAME)
    course = write_settings(tmp_path)
    if command == "autograde":
        publish(course, course.assignment("ps1"))
        hand_in(course, "ada")
    done = tito_in(tmp_path, command, "ps1")
    assert done.code
    assert "ps1.ipynb" in done.err
    assert "imports pandas" in done.err
    assert "not among the packages of this course" in done.err
    assert "Run 'tito init --packages'" in done.err
    assert read_record(course, "ps1", "ada") is None

    before = (tmp_path / "course.toml").read_text()
    assert tito_in(tmp_path, "init", "--packages", "--dry-run").code == 0
    assert (tmp_path / "course.toml").read_text() == before
    added = tito_in(tmp_path, "init", "--packages")
    assert added.code == 0
    assert "pandas" in added.err.splitlines()[-1]
    assert "pandas" in tomllib.loads((tmp_path / "course.toml").read_text())["sandbox"]["packages"]
    assert "Nothing was changed" in tito_in(tmp_path, "init", "--packages").err
    if command == "autograde":
        assert "2/2 points" in tito_in(tmp_path, "autograde", "ps1").err


def test_what_is_not_installed_is_named_with_the_command_that_installs_it(tito_in: Tito, tmp_path: Path) -> None:
    write_notebook(tmp_path, [cell(f"import surprise.prediction_algorithms\nimport {ABSENT}"), *FRAME])
    done = tito_in(tmp_path, "init")
    assert "imports surprise, which is not installed here. Run 'pip install scikit-surprise'" in done.err
    assert f"'pip install {ABSENT}'" in done.err
    assert load_course(tmp_path).sandbox.packages == ("ipython", "matplotlib", "numpy", "pandas")
    checked = tito_in(tmp_path, "check", "ps1")
    assert checked.code == 1
    assert "Run 'pip install scikit-surprise' and 'tito init --packages'" in checked.err


@pytest.mark.parametrize(
    ("changes", "seen_in"),
    [
        ({"before": f"import {ABSENT} as sns"}, ("note", "page")),
        ({"total": f"import {ABSENT}.sub as sns\n\ndef total(frame):\n    return 3"}, ("note", "page", "message")),
        ({"total": f"def total(frame):\n    import {ABSENT}\n    return 3"}, ("note", "message", "page")),
    ],
    ids=["in a cell of their own", "above the solution", "in the function"],
)
def test_a_student_who_imports_what_is_not_there_reads_so(
    changes: dict[str, str], seen_in: tuple[str, ...], tito_in: Tito, tmp_path: Path
) -> None:
    write_notebook(tmp_path, FRAME)
    tito_in(tmp_path, "init")
    course = load_course(tmp_path)
    assignment = course.assignment("ps1")
    publish(course, assignment)
    hand_in(course, "ada", **changes)
    done = tito_in(tmp_path, "autograde", "ps1")
    assert done.code == 0
    assert f"{ABSENT} is imported by 1 of them, and is not among the packages" in done.err
    assert f"run 'pip install {ABSENT}' and add" in done.err
    record = read_record(course, "ps1", "ada")
    assert record is not None
    sentence = f"{ABSENT} is not among the packages of this course (ipython, matplotlib, numpy, pandas)"
    notes = " ".join(record.notebooks[0].notes)
    assert (sentence in notes) == ("note" in seen_in)
    assert (sentence in record.cells[0].message) == ("message" in seen_in)
    (page,) = write_pages(course, assignment, ()).pages
    text = " ".join(page.read_text().split())
    assert ("is not among the packages of this course" in text) == ("page" in seen_in)


def test_an_import_error_of_a_students_own_making_is_not_believed(tito_in: Tito, tmp_path: Path) -> None:
    """Of what is there it is not said that it is not; and a hidden section tells nothing of it."""
    raised = "raise ModuleNotFoundError(\"No module named '{}'\")"
    hidden = (
        f"x = 1\n### JUDGE\nassert x == 1\n### BEGIN HIDDEN TESTS\ny = total({ABSENT!r})\n### JUDGE\nassert y == 3\n"
        "### END HIDDEN TESTS"
    )
    write_notebook(tmp_path, [*FRAME, graded(hidden, "test_hidden")])
    tito_in(tmp_path, "init")
    course = load_course(tmp_path)
    publish(course, course.assignment("ps1"))
    hand_in(course, "ada", total=f"def total(frame):\n    {raised.format('pandas')}")
    hand_in(course, "bob", total="def total(frame):\n    raise ModuleNotFoundError(f\"No module named '{frame}'\")")
    assert tito_in(tmp_path, "autograde", "ps1").code == 0
    for student in ("ada", "bob"):
        record = read_record(course, "ps1", student)
        assert record is not None
        shown = " ".join([*record.notebooks[0].notes, *(each.message for each in record.cells)])
        assert "not among the packages" not in shown
        assert record.cells[1].verdict is not Verdict.PASSED
        assert ABSENT not in record.cells[1].message
