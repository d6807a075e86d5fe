"""Options of a course's own nbgrader_config.py, from the release to the grades, by `tito`'s commands."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

import nbformat
import pytest
from command_line import Tito, command_line
from tiny import ASSIGNMENT, released_notebook, solved, submit

from tito.course.course import Course
from tito.gradebook.store import open_gradebook

pytestmark = pytest.mark.usefixtures("in_process")

CONFIG = """
c = get_config()
c.AssignLatePenalties.plugin_class = "late_plugin.PointADay"
c.CourseDirectory.student_id_exclude = "eve"
c.IncludeHeaderFooter.header = "header.ipynb"
c.ClearSolutions.code_stub = {"python": "pass"}
"""
PLUGIN = """
from nbgrader.plugins import BasePlugin

class PointADay(BasePlugin):
    def late_submission_penalty(self, student_id, score, total_seconds_late):
        return total_seconds_late // 86400
"""
NOT_RUN = "c = get_config()\nc.Execute.enabled = False\n"
HOSTILE_OUTPUTS: list[Any] = [
    {"output_type": "stream", "name": "stdout", "text": ["saved ", "by hand"]},
    {"output_type": "display_data", "data": {"application/javascript": "alert(1)"}, "metadata": {}},
    {"output_type": "stream", "name": "stdout", "text": {"no": "text"}},
    "no output",
    [[[[]]]],
]


@pytest.fixture
def tito_in(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Tito:
    return command_line(monkeypatch, capsys)


def write_settings(course: Course, config: str) -> None:
    (course.root / "nbgrader_config.py").write_text(config)


def without_late_policy(course: Course) -> None:
    path = course.root / "course.toml"
    path.write_text(path.read_text().split("[late]")[0] + f"[deadlines]\n{ASSIGNMENT} = 2026-01-01T00:00:00Z\n")


def test_header_stub_late_plugin_and_excluded_students(tito_in: Tito, course: Course) -> None:
    without_late_policy(course)
    write_settings(course, CONFIG)
    (course.root / "late_plugin.py").write_text(PLUGIN)
    header = nbformat.v4.new_notebook(cells=[nbformat.v4.new_markdown_cell("Of each notebook", id="header")])
    nbformat.write(header, course.root / "header.ipynb")

    assert tito_in(course.root, "release", "7", "--no-exchange").code == 0
    released = released_notebook(course)
    assert released.cells[0].source == "Of each notebook"
    assert any(cell.source.endswith("    pass") for cell in released.cells)

    for student in ("ada", "eve"):
        folder = submit(course, student, solved(course))
        (folder / "timestamp.txt").write_text("2026-01-03 12:00:00 UTC")
    done = tito_in(course.root, "autograde", "7")
    assert (done.code, "1 graded" in done.err, "exclude them: eve" in done.err) == (0, True, True)
    with open_gradebook(course) as opened:
        assert [
            notebook.late_submission_penalty for notebook in opened.find_submission(ASSIGNMENT, "ada").notebooks
        ] == [2]
        for grade in opened.find_submission(ASSIGNMENT, "ada").notebooks[0].grades:
            grade.manual_score, grade.needs_manual_grade = grade.max_score, False
        opened.db.commit()

    assert tito_in(course.root, "grades", "7").code == 0
    exported = (course.gradebook_dir / "exports" / f"{ASSIGNMENT}.csv").read_text()
    rows = {row["student_id"]: row for row in csv.DictReader(io.StringIO(exported))}
    assert (rows["ada"]["raw_score"], rows["ada"]["late_penalty"], rows["ada"]["score"]) == ("10", "2", "8")
    assert rows["eve"]["status"] == "ungraded"


def test_settings_that_contradict_the_course_file_stop_a_command(tito_in: Tito, released: Course) -> None:
    submit(released, "ada", solved(released))
    write_settings(released, "c = get_config()\nc.LateSubmissionPlugin.penalty_method = 'zero'\n")
    done = tito_in(released.root, "autograde", "7")
    assert done.code == 2
    assert "lost twice" in done.line
    assert not released.step("autograded").exists()


def test_a_late_plugin_that_fails_is_told_before_anything_is_run(tito_in: Tito, released: Course) -> None:
    without_late_policy(released)
    submit(released, "ada", solved(released))
    write_settings(released, "c = get_config()\nc.AssignLatePenalties.plugin_class = 'nowhere.Plugin'\n")
    done = tito_in(released.root, "autograde", "7")
    assert done.code == 2
    assert "late plugin" in done.err
    assert not released.step("autograded").exists()


def test_what_is_not_run_waits_for_a_person_with_its_own_outputs(
    tito_in: Tito, released: Course, tmp_path: Path
) -> None:
    """A saved output is a student's word: under nbgrader, none at all has full points."""
    mark = tmp_path / "mark"
    notebook = solved(released, double=f"open({str(mark)!r}, 'w')")
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs = HOSTILE_OUTPUTS
    submit(released, "ada", json.loads(json.dumps(notebook)))
    write_settings(released, NOT_RUN)
    done = tito_in(released.root, "autograde", "7", "--sandbox", "none", "--json")
    assert done.code == 0
    (record,) = json.loads(done.out)
    cells = record["notebooks"][0]["cells"]
    assert [cell["verdict"] for cell in cells if cell["grade_id"].startswith("test_")] == ["manual", "manual"]
    assert {cell["points"] for cell in cells} == {None}
    assert not mark.exists()

    text = released.step("autograded", "ada", ASSIGNMENT, "doubling.ipynb").read_text()
    graded = nbformat.reads(text, as_version=4)
    outputs = [cell.outputs for cell in graded.cells if cell.cell_type == "code"]
    assert all(each[0].text == "saved by hand" and len(each) == 2 and each[1].text == "" for each in outputs)

    write_settings(released, "")
    assert "1 graded" in tito_in(released.root, "autograde", "7").err
