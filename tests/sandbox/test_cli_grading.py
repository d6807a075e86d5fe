"""The commands that run code, from the gate of a release to the grades: exit codes, JSON, and what is said."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from command_line import Tito, command_line
from tiny import CELLS, script, solved, submit, write_course

from tito.course.course import Course

pytestmark = pytest.mark.usefixtures("in_process")


@pytest.fixture
def tito_in(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Tito:
    return command_line(monkeypatch, capsys)


def test_check_prints_json_and_fails_with_exit_1(tito_in: Tito, tmp_path: Path) -> None:
    halve = CELLS["halve"].replace("/ 2", "/ 3")
    course = write_course(tmp_path / "c", script(halve=halve), variants={})
    done = tito_in(course.root, "check", "7", "--json")
    report = json.loads(done.out)
    assert done.code == 1
    assert not report["ok"]
    assert {gate["where"] for gate in report["gates"] if not gate["ok"]} == {"test_halve"}
    assert " of " in done.line


def test_a_module_that_fails_a_gate_is_not_released(tito_in: Tito, tmp_path: Path) -> None:
    halve = CELLS["halve"].replace("/ 2", "/ 3")
    course = write_course(tmp_path / "c", script(halve=halve), variants={})
    done = tito_in(course.root, "release", "7", "--no-exchange")
    assert done.code == 1
    assert "Nothing was released." in done.err
    assert not course.step("release").exists()


def test_from_release_to_grades_by_commands_alone(tito_in: Tito, course: Course) -> None:
    assert tito_in(course.root, "release", "7", "--no-exchange").code == 0
    submit(course, "ada", solved(course))
    submit(course, "bob", b"no notebook")
    done = tito_in(course.root, "autograde", "7", "--json")
    records = json.loads(done.out)
    assert done.code == 0
    assert [record["student"] for record in records] == ["ada", "bob"]
    assert records[0]["sandbox"] == "bubblewrap"
    assert [cell["points"] for cell in records[1]["notebooks"][0]["cells"]] == [None] * 4
    assert "is no JSON" in tito_in(course.root, "status", "7").out
    assert tito_in(course.root, "feedback", "7").code == 0
    assert tito_in(course.root, "grades", "7").code == 0
    assert "2 unchanged" in tito_in(course.root, "autograde", "7").err


def test_going_without_a_sandbox_is_said_and_recorded(tito_in: Tito, released: Course) -> None:
    submit(released, "ada", solved(released))
    done = tito_in(released.root, "autograde", "7", "--sandbox", "none", "--json")
    assert "UNPROTECTED" in done.err
    assert [record["sandbox"] for record in json.loads(done.out)] == ["none"]
    assert "1 graded" in tito_in(released.root, "autograde", "7").err
