"""Formgrader's buttons *Add new assignment*, *Generate* and *Generate Feedback* in a course of ours: a person's, and
a hub's."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import nbformat
import pytest
from jupyter_servers import EXTENSIONS, TIMEOUT_S, jupyter_server
from plain_course import write_plain_course

from tito.author.release import publish
from tito.course.course import Course
from tito.grade.cohort import autograde
from tito.sandbox.backends import backend


@dataclass(frozen=True)
class Buttons:
    """Formgrader's page of assignments."""

    url: str

    def add(self, name: str) -> dict[str, Any]:
        """*Add new assignment*, as its form does it."""
        body = {"name": name, "duedate_notimezone": None, "duedate_timezone": None}
        answer = httpx.put(f"{self.url}/formgrader/api/assignment/{name}", json=body, timeout=TIMEOUT_S)
        assert answer.status_code == 200, answer.text
        assignment: dict[str, Any] = json.loads(answer.text)
        return assignment

    def generate(self, name: str) -> dict[str, Any]:
        answer = httpx.post(f"{self.url}/formgrader/api/assignment/{name}/assign", timeout=TIMEOUT_S)
        assert answer.status_code == 200, answer.text
        result: dict[str, Any] = json.loads(answer.text)
        assert "Traceback" not in answer.text
        return result

    def feedback(self, name: str, student: str = "") -> dict[str, Any]:
        """*Generate Feedback*, for all or in a student's row."""
        where = f"{name}/{student}" if student else name
        answer = httpx.post(f"{self.url}/formgrader/api/assignment/{where}/generate_feedback", timeout=TIMEOUT_S)
        assert answer.status_code == 200, answer.text
        result: dict[str, Any] = json.loads(answer.text)
        return result


@pytest.fixture(params=EXTENSIONS.values(), ids=EXTENSIONS)
def course_and_buttons(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[Course, Buttons]]:
    course = write_plain_course(tmp_path / "course", "quiz")
    with jupyter_server(course.root, request.param, tmp_path / "home") as url:
        yield course, Buttons(url)


def test_the_buttons_make_a_release_of_ours_or_say_what_is_missing(course_and_buttons: tuple[Course, Buttons]) -> None:
    course, buttons = course_and_buttons

    # a new one: its folder is made, and Generate says where its notebook is to be
    assert buttons.add("week7")["name"] == "week7"
    nothing = buttons.generate("week7")
    assert not nothing["success"]
    assert "error" not in nothing
    assert "source/week7 holds no notebook" in nothing["log"]
    assert "source/NN_name.py" in nothing["log"]

    # one of the course: by our gates, and into the gradebook
    done = buttons.generate("quiz")
    assert done["success"], done
    assert "the reference earns every point" in done["log"]
    assert course.step("release", "quiz", "quiz.ipynb").is_file()

    # one that leaks is refused, with all that is to be mended, and the old release stands
    path = course.step("source", "quiz", "quiz.ipynb")
    notebook = nbformat.read(path, as_version=4)
    notebook.cells[0].source += "\n\n`squares = [number ** 2 for number in range(1, 6)]`"
    nbformat.write(notebook, path)
    before = course.step("release", "quiz", "quiz.ipynb").read_bytes()
    refused = buttons.generate("quiz")
    assert not refused["success"]
    assert "1 to mend:" in refused["log"]
    assert "question_3" in refused["log"]
    assert course.step("release", "quiz", "quiz.ipynb").read_bytes() == before


def test_generate_feedback_makes_pages_of_ours(course_and_buttons: tuple[Course, Buttons]) -> None:
    course, buttons = course_and_buttons
    assert not buttons.feedback("quiz")["success"]
    publish(course, course.assignment("quiz"))
    for student in ("ada", "bob"):
        folder = course.step("submitted", student, "quiz")
        shutil.copytree(course.step("release", "quiz"), folder)
    autograde(course, course.assignment("quiz"), backend(course.sandbox.backend))
    assert buttons.feedback("quiz", "ada")["success"]
    page = course.step("feedback", "ada", "quiz", "quiz.html")
    assert "What did not pass" in page.read_text(encoding="utf-8")
    assert not course.step("feedback", "bob").exists()
    everybody = buttons.feedback("quiz")
    assert everybody["success"] and "Wrote 1 feedback pages, 1 were up to date" in everybody["log"]
    assert course.step("feedback", "bob", "quiz", "quiz.html").is_file()
    assert not buttons.feedback("quiz", "--help")["success"]
