"""Our exporters in nbgrader's own command."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest
from gradebook_points import FULL, points
from nbgrader_forks import Ran, nbgrader_forks
from tiny import ASSIGNMENT

from tito.course.course import Course
from tito.exports.tables import read_table
from tito.gradebook.store import gradebook

PLUGINS = "tito.exports.plugins"
GIVEN = {
    "Canvas": "Student,ID,SIS Login ID,Section,Doubling (7)\n    Points Possible,,,,10\nA,1,ada,S,{}\nB,2,bob,S,\n",
    "Moodle": "Identifier,Username,Grade,Last modified (grade)\nParticipant 1,ada,{},-\nParticipant 2,bob,,-\n",
    "Blackboard": '"Last Name"\t"Username"\t"Doubling [Total Pts: 10 Score]"\r\n"A"\t"ada"\t"{}"\r\n"B"\t"bob"\t""\r\n',
    "Gradescope": "First Name,Last Name,SID,Email,Doubling\nA,A,ada,,{}\nB,B,bob,,",
}


@pytest.fixture
def graded(released: Course) -> Course:
    points(released, "ada", FULL | {"test_double": 1.5})
    points(released, "bob", FULL, waits=("essay",))
    return released


def export(course: Course, exporter: str, *options: str) -> Ran:
    environment = {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}", "HOME": str(course.root)}
    return nbgrader_forks()(course.root, environment, "export", f"--exporter={PLUGINS}.{exporter}", *options)


@pytest.mark.parametrize("system", GIVEN)
def test_a_file_of_an_lms_is_filled(system: str, graded: Course) -> None:
    source = graded.root / "given.csv"
    source.write_text(GIVEN[system].format(""), newline="")
    chosen = f'--assignment=["{ASSIGNMENT}"]'
    done = export(graded, system, chosen, f"--{system}.fill=given.csv", "--to", "filled.csv")
    assert done.code == 0, done.output
    assert (graded.root / "filled.csv").read_bytes().decode() == GIVEN[system].format("7.5")
    assert "No grade was written for bob: needs manual grading" in done.output
    assert "1 grades, 7.5 points" in done.output
    assert source.read_bytes().decode() == GIVEN[system].format("")


def test_what_a_terminal_would_obey_is_written_out(graded: Course) -> None:
    with gradebook(graded) as opened:
        opened.add_student("\x1b[31mcy", email="cy@example.edu")
    rows = "C,3,cy@example.edu,S,\nD,4,\x1b[2Jdan,S,\n"
    (graded.root / "given.csv").write_text(GIVEN["Canvas"].format("") + rows)
    done = export(graded, "Canvas", f'--assignment=["{ASSIGNMENT}"]', "--Canvas.fill=given.csv")
    assert done.code == 0, done.output
    assert r"No grade was written for \x1b[31mcy: missing" in done.output
    assert r"Line 6, 'D', is nobody's for sure: 4 \x1b[2Jdan" in done.output
    assert "\x1b" not in done.output


@pytest.mark.parametrize(("per", "rows"), [("student", 2), ("cell", 8)])
def test_tables_are_written(per: str, rows: int, graded: Course) -> None:
    assert export(graded, "Table", f"--Table.per={per}").code == 0
    table = read_table(graded.root / "grades.csv")
    assert (len(table), set(table["student_id"])) == (rows, {"ada", "bob"})
    assert export(graded, "Table", '--student=["ada"]', "--to", "ada.csv").code == 0
    assert set(read_table(graded.root / "ada.csv")["student_id"]) == {"ada"}


def test_what_is_wrong_is_one_line_and_nothing_is_written(graded: Course) -> None:
    (graded.root / "grades.csv").write_text("my own")
    late = "--AssignLatePenalties.plugin_class=late.Plugin"
    for exporter, options, part in (
        ("Table", (late,), "points would be lost twice"),
        ("Canvas", (), "Canvas needs one assignment and the file to fill."),
        ("Canvas", (f'--assignment=["{ASSIGNMENT}"]', "--Canvas.fill=none.csv"), "none.csv cannot be read"),
        ("Table", ('--assignment=["dubling"]',), "Did you mean 'doubling'?"),
        ("Table", (), "grades.csv is there, and is no table of grades."),
    ):
        done = export(graded, exporter, *options)
        assert (done.code, "Traceback" in done.output) == (1, False)
        assert part in done.output
    assert (graded.root / "grades.csv").read_text() == "my own"
