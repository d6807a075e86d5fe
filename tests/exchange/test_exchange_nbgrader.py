"""nbgrader's own commands, its Assignment List and formgrader's API on the exchange, under a real hub."""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbgrader_forks import Commands, Ran
from real_hub import RealHub
from tiny import ASSIGNMENT, SOLVED

from tito.course.cells import grade_id_of
from tito.course.course import load_course
from tito.exchange.protocol.records import Entry, Manifest, receipt_sha256

ROOT = Path(__file__).resolve().parents[2]
STUDENTS_CONFIG = "from tito.exchange.client.plugin import use_service\n\nuse_service(get_config())\n"
TIME = r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{6} UTC"


@dataclass
class Person:
    """Someone in a server of their own: a home, and the environment that the hub gives it."""

    name: str
    home: Path
    token: str
    exchange: str
    commands: Commands

    @property
    def environment(self) -> dict[str, str]:
        scripts = str(Path(sys.executable).parent)
        return {
            "PATH": f"{scripts}:{os.environ['PATH']}",
            "HOME": str(self.home.parent / f"home-of-{self.name}"),
            "JUPYTERHUB_API_TOKEN": self.token,
            "JUPYTERHUB_USER": self.name,
            "TITO_EXCHANGE_URL": self.exchange,
        }

    def nbgrader(self, *argv: str) -> Ran:
        ran = self.commands(self.home, self.environment, *argv)
        assert self.token not in ran.output
        return ran

    def does(self, *argv: str) -> str:
        """What a command says that succeeds."""
        ran = self.nbgrader(*argv)
        assert ran.code == 0, ran.output
        return ran.output

    def fails(self, *argv: str) -> str:
        ran = self.nbgrader(*argv)
        assert ran.code not in (0, 99), ran.output
        return ran.output

    def python(self, code: str) -> Any:
        """What a piece of code, run in their server, prints as JSON in its last line."""
        ran = self.commands(self.home, self.environment, code=code)
        assert ran.code == 0, ran.output
        return json.loads(ran.output.splitlines()[-1])

    @property
    def work(self) -> Path:
        return self.home / ASSIGNMENT

    def solve(self, **cells: str) -> None:
        """Answer in the fetched notebook."""
        path = self.work / "doubling.ipynb"
        notebook = nbformat.read(path, as_version=4)
        for cell in notebook.cells:
            if grade_id_of(cell) in SOLVED:
                cell.source = {**SOLVED, **cells}[grade_id_of(cell)]
        nbformat.write(notebook, path)

    def receipts(self) -> list[dict[str, Any]]:
        return [json.loads(path.read_text()) for path in sorted((self.work / "receipts").glob("*.json"))]


@dataclass
class Class:
    """An instructor with the course, students, and a TA."""

    teacher: Person
    ada: Person
    bob: Person
    course: Path


@pytest.fixture
def people(commands: Commands, hub_of_tests: RealHub, released_once: Path, tmp_path: Path) -> Iterator[Class]:
    members = {}
    for name in ("teacher", "ada", "bob"):
        home = tmp_path / name
        if name == "teacher":
            shutil.copytree(released_once, home)
            shutil.copy(ROOT / "nbgrader_config.py", home)
            settings = home / "course.toml"
            settings.write_text(settings.read_text() + f'\n[exchange]\nurl = "{hub_of_tests.exchange}"\n')
        else:
            home.mkdir()
            (home / "nbgrader_config.py").write_text(STUDENTS_CONFIG)
        members[name] = Person(name, home, hub_of_tests.tokens[name], hub_of_tests.exchange, commands)
    yield Class(members["teacher"], members["ada"], members["bob"], members["teacher"].home)


def test_the_whole_way_from_release_to_feedback_each_student_only_their_own(people: Class) -> None:
    teacher, ada = people.teacher, people.ada
    before = teacher.does("list", "--inbound").count("tiny ada 07_doubling")
    settings = people.course / "course.toml"
    settings.write_text(settings.read_text() + f"\n[deadlines]\n{ASSIGNMENT} = 2030-01-01T00:00:00Z\n")
    release_and_fetch(people)
    submit_with_receipt(people)
    submit_once_more(people, before)
    collected = people.course / "submitted" / "ada" / ASSIGNMENT
    collect(people, collected)
    return_feedback(people, collected)

    # taken back
    assert "tiny 07_doubling" in teacher.does("list", ASSIGNMENT, "--remove")
    assert "07_doubling" not in ada.does("list")
    assert "not released" in ada.fails("submit", ASSIGNMENT, "--course", "tiny")


def release_and_fetch(people: Class) -> None:
    ada = people.ada
    assert "Released as: tiny 07_doubling" in people.teacher.does("release_assignment", ASSIGNMENT, "--force")
    assert "tiny 07_doubling" in ada.does("list")
    for student in (ada, people.bob):
        assert "Fetched as: tiny 07_doubling" in student.does("fetch_assignment", ASSIGNMENT, "--course", "tiny")
    released = people.course / "release" / ASSIGNMENT / "doubling.ipynb"
    assert (ada.work / "doubling.ipynb").read_bytes() == released.read_bytes()
    assert (ada.work / "tinypack" / "base.py").is_file()
    assert "already downloaded" in ada.does("list")
    assert "already have a copy" in ada.fails("fetch_assignment", ASSIGNMENT, "--course", "tiny")


def submit_with_receipt(people: Class) -> None:
    ada, bob = people.ada, people.bob
    ada.solve()
    bob.solve(halve="def halve(value):\n    return value")
    answer = ada.does("submit", ASSIGNMENT, "--course", "tiny")
    bob.does("submit", ASSIGNMENT, "--course", "tiny")
    [receipt] = ada.receipts()
    assert receipt["receipt_sha256"] == receipt_sha256(receipt)
    assert receipt["receipt_sha256"] in answer
    assert receipt["submission"] in answer
    assert "in time" in answer
    assert receipt["student"] == "ada"
    assert "In a browser, all that you handed in: /services/exchange/" in answer
    signed = Manifest.of([Entry(**file) for file in receipt["files"]])
    assert signed.sha256 == receipt["manifest_sha256"]


def submit_once_more(people: Class, before: int) -> None:
    """The newest counts, and the receipt of the first is not handed in."""
    ada = people.ada
    ada.solve(essay="The exponent grows by one, the digits stay.")
    ada.does("submit", ASSIGNMENT, "--course", "tiny")
    assert len(ada.receipts()) == 2
    assert not [file["path"] for file in ada.receipts()[1]["files"] if "receipt" in file["path"]]
    assert ada.does("list", "--inbound", "--course", "tiny").count("tiny ada 07_doubling") == before + 2
    assert "bob" not in ada.does("list", "--inbound", "--course", "tiny")
    everybody = people.teacher.does("list", "--inbound")
    assert everybody.count("tiny ada 07_doubling") == before + 2
    assert everybody.count("tiny bob 07_doubling") >= 1

    # the receipt stands beside each submission where that is wanted, as it is in the servers of the hub
    shown = ada.does("list", "--cached", "--course", "tiny", "--ServiceExchange.show_receipts=True")
    assert all(f"UTC. Receipt: SHA-256 {receipt['receipt_sha256']}" in shown for receipt in ada.receipts())


def collect(people: Class, collected: Path) -> None:
    """What is collected is what the receipt says."""
    teacher, ada = people.teacher, people.ada
    teacher.does("collect", ASSIGNMENT)
    receipt = ada.receipts()[1]
    assert receipt.pop("page") == "/services/exchange/"  # where a browser shows it, and no part of what was signed
    assert json.loads((collected / "receipt.json").read_text()) == receipt
    assert (collected / "doubling.ipynb").read_bytes() == (ada.work / "doubling.ipynb").read_bytes()
    assert "already exists" in teacher.does("collect", ASSIGNMENT)
    assert "No newer submission" in teacher.does("collect", ASSIGNMENT, "--update")


def return_feedback(people: Class, collected: Path) -> None:
    """Graded by our engine, and returned."""
    teacher, ada, bob = people.teacher, people.ada, people.bob
    teacher.does("autograde", ASSIGNMENT)
    teacher.does("generate_feedback", ASSIGNMENT)
    assert "Feedback released: ada" in teacher.does("release_feedback", ASSIGNMENT)
    assert "no feedback available" not in ada.does("list", "--cached", "--course", "tiny").splitlines()[-1]
    ada.does("fetch_feedback", ASSIGNMENT, "--course", "tiny")
    bob.does("fetch_feedback", ASSIGNMENT, "--course", "tiny")
    pages = {student.name: list((student.work / "feedback").glob("*/doubling.html")) for student in (ada, bob)}
    assert [len(of_student) for of_student in pages.values()] == [1, 1]
    for student, other in (("ada", "bob"), ("bob", "ada")):
        own = (people.course / "feedback" / student / ASSIGNMENT / "doubling.html").read_bytes()
        assert pages[student][0].read_bytes() == own
        assert pages[other][0].read_bytes() != own
    when = (collected / "timestamp.txt").read_text()
    assert pages["ada"][0].parent.name == when  # of the second submission, which was graded, and not of the first


def test_the_assignment_list_of_jupyterlab_works_unchanged(people: Class) -> None:
    """Its handlers' own class, as the student's server runs it."""
    people.teacher.does("release_assignment", ASSIGNMENT, "--force")
    ada = people.ada
    begin = (
        "import json, os\n"
        "from tito.exchange.client.assignment_list import AssignmentList\n"
        f"lister = AssignmentList()\nlister.root_dir = {str(ada.home)!r}\n"
    )

    def asked(call: str) -> Any:
        return ada.python(f"{begin}print(); print(json.dumps(lister.{call}))")

    assert asked("list_courses()") == {"success": True, "value": ["tiny"]}
    [listed] = [
        assignment
        for assignment in asked("list_released_assignments('tiny')")["value"]
        if assignment["assignment_id"] == ASSIGNMENT
    ]
    assert listed["status"] == "released"
    assert [notebook["notebook_id"] for notebook in listed["notebooks"]] == ["doubling"]
    assert asked(f"fetch_assignment('tiny', '{ASSIGNMENT}')") == {"success": True}
    [listed] = [
        assignment
        for assignment in asked("list_released_assignments('tiny')")["value"]
        if assignment["assignment_id"] == ASSIGNMENT
    ]
    assert (listed["status"], listed["path"]) == ("fetched", ASSIGNMENT)
    assert listed["notebooks"][0]["path"] == f"{ASSIGNMENT}/doubling.ipynb"
    before = len(ada.receipts())
    assert asked(f"submit_assignment('tiny', '{ASSIGNMENT}')") == {"success": True}
    assert len(ada.receipts()) == before + 1
    [group] = [
        assignment for assignment in asked("list_assignments('tiny')")["value"] if assignment["status"] == "submitted"
    ]
    assert group["student_id"] == "ada"
    newest = group["submissions"][-1]
    assert newest["receipt"] == {name: value for name, value in ada.receipts()[-1].items() if name != "page"}
    assert {"timestamp", "path", "notebooks", "has_local_feedback", "has_exchange_feedback", "feedback_updated",
            "local_feedback_path", "course_id", "assignment_id", "status"} <= set(newest)  # fmt: skip
    assert (newest["has_exchange_feedback"], newest["has_local_feedback"]) == (False, False)
    refused = asked("submit_assignment('tiny', 'never')")
    assert refused["success"] is False
    assert refused["value"].startswith("Assignment not found")
    assert "Traceback" not in refused["value"]


def test_formgraders_api_works_unchanged(people: Class) -> None:
    teacher = people.teacher
    begin = (
        "import json\nfrom nbgrader.apps import NbGrader\nfrom nbgrader.apps.api import NbGraderAPI\n"
        "app = NbGrader()\napp.load_config_file()\n"
        "from nbgrader.coursedir import CourseDirectory\n"
        "api = NbGraderAPI(CourseDirectory(config=app.config), config=app.config)\n"
    )

    def asked(call: str) -> Any:
        return teacher.python(f"{begin}print(); print(json.dumps(api.{call}, default=sorted))")

    released = asked(f"release_assignment('{ASSIGNMENT}')")
    assert released["success"], released
    assert asked("exchange_missing") is False
    assert asked("get_released_assignments()") == [ASSIGNMENT]
    people.ada.does("fetch_assignment", ASSIGNMENT, "--course", "tiny")
    people.ada.does("submit", ASSIGNMENT, "--course", "tiny")
    assert asked(f"collect('{ASSIGNMENT}')")["success"]
    assert "ada" in asked(f"get_submitted_students('{ASSIGNMENT}')")
    assert asked(f"release_feedback('{ASSIGNMENT}')")["success"]
    assert asked(f"unrelease('{ASSIGNMENT}')")["success"]
    assert asked("get_released_assignments()") == []


def test_one_cannot_act_as_another(people: Class) -> None:
    people.teacher.does("release_assignment", ASSIGNMENT, "--force")
    ada = people.ada
    ada.does("fetch_assignment", ASSIGNMENT, "--course", "tiny")
    assert "knows you as ada" in ada.fails("submit", ASSIGNMENT, "--course", "tiny", "--student", "bob")
    assert "knows you as ada" in ada.fails("fetch_feedback", ASSIGNMENT, "--course", "tiny", "--student", "bob")
    (ada.home / "release").mkdir()
    shutil.copytree(ada.work, ada.home / "release" / ASSIGNMENT)
    assert "not an instructor" in ada.fails("release_assignment", ASSIGNMENT, "--course", "tiny", "--force")
    assert "not a TA or instructor" in ada.fails("collect", ASSIGNMENT, "--course", "tiny")
    assert "none is removed" in ada.fails("list", "--inbound", "--remove")


def test_a_cut_off_in_the_course_file_closes_and_an_extension_opens_again(people: Class) -> None:
    settings = people.course / "course.toml"
    plain = settings.read_text()
    settings.write_text(f"{plain}\n[cutoffs]\n{ASSIGNMENT} = 2020-01-01T00:00:00Z\n")
    people.teacher.does("release_assignment", ASSIGNMENT, "--force")
    people.ada.does("fetch_assignment", ASSIGNMENT, "--course", "tiny")
    assert "was closed at 2020-01-01 00:00:00 UTC" in people.ada.fails("submit", ASSIGNMENT, "--course", "tiny")
    settings.write_text(f"{settings.read_text()}\n[extensions.{ASSIGNMENT}]\nada = 2035-01-01T00:00:00Z\n")
    people.teacher.does("collect", ASSIGNMENT)
    people.ada.does("submit", ASSIGNMENT, "--course", "tiny")
    settings.write_text(plain)
    people.teacher.does("collect", ASSIGNMENT, "--update")
    course = load_course(people.course)
    assert (course.step("submitted", "ada", ASSIGNMENT) / "receipt.json").is_file()


def test_errors_are_a_line_and_say_what_to_do(people: Class) -> None:
    ada = people.ada
    output = ada.fails("fetch_assignment", "nothing", "--course", "tiny")
    assert "Assignment not found: nothing. Released in tiny:" in output
    assert "not a member of secret" in ada.fails("fetch_assignment", "x", "--course", "secret")
    away = Person("ada", ada.home, ada.token, "http://127.0.0.1:9/services/exchange", ada.commands)
    output = away.fails("list")
    assert "does not answer" in output
    listed = away.python(
        "import json\n"
        "from tito.exchange.client.assignment_list import AssignmentList\n"
        f"lister = AssignmentList()\nlister.root_dir = {str(ada.home)!r}\n"
        "print(); print(json.dumps(lister.list_assignments('tiny')))"
    )
    assert listed["success"] is False
    assert listed["value"].startswith("The exchange at http://127.0.0.1:9/services/exchange does not answer")
    assert "Traceback" not in listed["value"]
    without = Person("ada", ada.home, "", ada.exchange, ada.commands)
    ran = without.commands(without.home, without.environment, "list")
    assert "JUPYTERHUB_API_TOKEN is not set" in ran.output
