"""Settings that are wrong or missing never lead to nbgrader's own engine: every command is run, as a process.

The submission of `eve` leaves a mark outside of the course when it is run without a sandbox.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest
from nbgrader.apps.nbgraderapp import NbGraderApp
from nbgrader_forks import nbgrader_forks
from ports import free_port
from tiny import ASSIGNMENT, solved, submit

import tito.cli
from tito.bridge.guard import PLAIN_VARIABLE
from tito.course.course import Course
from tito.doctor import examine

ROOT = Path(__file__).resolve().parents[2]
SCRIPTS = Path(sys.executable).parent
CONFIG = "nbgrader_config.py"
TIMEOUT_S = 240

SUBMITTED = f"submitted/eve/{ASSIGNMENT}"
ARGUMENTS: dict[str, tuple[str, ...]] = {  # of nbgrader's commands, where without any they would do nothing
    "assign": (ASSIGNMENT, "--force"),
    "generate_assignment": (ASSIGNMENT, "--force"),
    "generate_solution": (ASSIGNMENT, "--force"),
    "autograde": (ASSIGNMENT, "--force"),
    "feedback": (ASSIGNMENT, "--force"),
    "generate_feedback": (ASSIGNMENT, "--force"),
    "validate": (f"{SUBMITTED}/doubling.ipynb",),
    "release": (ASSIGNMENT,),
    "release_assignment": (ASSIGNMENT,),
    "release_feedback": (ASSIGNMENT,),
    "collect": (ASSIGNMENT,),
    "zip_collect": (ASSIGNMENT, "--force"),
    "fetch": (ASSIGNMENT,),
    "fetch_assignment": (ASSIGNMENT,),
    "fetch_feedback": (ASSIGNMENT,),
    "submit": (ASSIGNMENT,),
    "quickstart": ("another",),
    "db": ("student", "add", "mallory"),
    "update": ("source",),
}


@dataclass(frozen=True)
class Place:
    """A course in which eve has handed in, been graded by our engine, and handed in code that leaves a mark."""

    course: Course
    mark: Path
    home: Path

    @property
    def root(self) -> Path:
        return self.course.root

    def write_settings(self, change: Callable[[str], str]) -> None:
        path = self.root / "course.toml"
        path.write_text(change(path.read_text()))

    def run(self, *command: str, cwd: Path | None = None, **variables: str) -> subprocess.CompletedProcess[str]:
        """Run a command in the course, as a person's shell would."""
        return subprocess.run(
            [str(SCRIPTS / command[0]), *command[1:]],
            cwd=cwd or self.root,
            env=self.environment() | variables,
            capture_output=True,
            text=True,
            timeout=TIMEOUT_S,
            check=False,
        )

    def nbgrader(self, *arguments: str, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
        """Run one of nbgrader's commands in a process that has imported nbgrader already, as any command does first."""
        ran = nbgrader_forks()(cwd or self.root, self.environment(), *arguments)
        return subprocess.CompletedProcess(arguments, ran.code, ran.out, ran.err)

    def environment(self) -> dict[str, str]:
        own = {name: value for name, value in os.environ.items() if not name.startswith(("JUPYTER", "TITO"))}
        return own | {"PATH": f"{SCRIPTS}:{os.environ['PATH']}", "HOME": str(self.home)}

    def content(self) -> dict[str, str]:
        """Every file of the course, and what is in it."""
        files = (path for path in self.root.rglob("*") if path.is_file())
        return {str(path.relative_to(self.root)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}

    def record(self) -> dict[str, object] | None:
        """What our engine has recorded of eve's submission."""
        path = self.root / "gradebook" / "verdicts" / ASSIGNMENT / "eve.json"
        return json.loads(path.read_text()) if path.exists() else None


@pytest.fixture
def place(released: Course, tmp_path: Path) -> Place:
    home, mark = tmp_path / "home", tmp_path / "mark"
    home.mkdir()
    shutil.copy(ROOT / CONFIG, released.root)
    _hand_in(released, mark)
    graded = released.step("autograded", "eve", ASSIGNMENT)
    graded.mkdir(parents=True)
    (graded / "doubling.ipynb").write_text("what was graded before")
    return Place(released, mark, home)


def _hand_in(course: Course, mark: Path) -> None:
    leaves_a_mark = f"open({str(mark)!r}, 'w').close()\ndef double(values):\n    return 2 * values"
    submit(course, "eve", solved(course, double=leaves_a_mark))


def _typo(text: str) -> str:
    return text.replace("[limits]", "[limitz]")


def _stopped_with(done: subprocess.CompletedProcess[str], *words: str) -> None:
    """It ended with the person's error and no traceback."""
    assert done.returncode not in (0, 1, -9), done.stderr
    assert "Traceback" not in done.stdout + done.stderr
    for word in words:
        assert word in done.stderr, done.stderr


# ---- a typo in course.toml --------------------------------------------------------------------------


def test_no_command_of_nbgraders_does_anything_with_a_typo_in_the_settings(place: Place) -> None:
    place.write_settings(_typo)
    before = place.content()
    assert {"autograde", "validate", "list", "formgrade"} <= set(NbGraderApp.subcommands)
    ended = [place.nbgrader(name, *ARGUMENTS.get(name, ())) for name in NbGraderApp.subcommands]
    for done in ended:
        _stopped_with(done, f"{place.root}/course.toml: there is no setting 'limitz'. Did you mean 'limits'?")
    assert not place.mark.exists()
    assert place.content() == before


def test_the_settings_stop_nbgrader_where_the_course_has_no_file_for_it(place: Place) -> None:
    (place.root / CONFIG).unlink()
    place.write_settings(_typo)
    before = place.content()
    for name in ("autograde", "generate_assignment", "validate"):
        _stopped_with(place.run("nbgrader", name, *ARGUMENTS[name]), "Did you mean 'limits'?")
    assert not place.mark.exists()
    assert place.content() == before


def test_the_course_file_alone_stops_nbgrader(place: Place) -> None:
    """Where the environment's configuration is turned off, and so is what this package puts into it."""
    place.write_settings(_typo)
    before = place.content()
    done = place.run("nbgrader", "autograde", ASSIGNMENT, "--force", JUPYTER_NO_CONFIG="1")
    _stopped_with(done, "Did you mean 'limits'?")
    assert not place.mark.exists()
    assert place.content() == before


def test_no_command_of_titos_does_anything_with_a_typo_in_the_settings(place: Place) -> None:
    place.write_settings(_typo)
    before = place.content()
    others = ("init", "doctor", "demo", "exchange", "policy", "precheck")
    commands = [name for name in tito.cli.cli.commands if name not in others]
    for command in [(name, ASSIGNMENT) for name in commands] + [
        ("init",),
        ("demo",),
        ("policy", "show"),
        ("policy", "preview"),
        ("policy", "apply"),
        ("exchange", "audit"),
    ]:
        _stopped_with(place.run("tito", *command), "tito: ", "Did you mean 'limits'?")
    doctor = place.run("tito", "doctor")
    assert doctor.returncode == 1
    assert "Did you mean 'limits'?" in doctor.stdout
    assert not place.mark.exists()
    assert place.content() == before


@pytest.mark.parametrize("program", ["lab", "notebook", "server"])
def test_a_server_with_nbgraders_extensions_does_not_start(place: Place, program: str) -> None:
    place.write_settings(_typo)
    before = place.content()
    done = place.run("jupyter", program, "--no-browser", "--allow-root", "--ServerApp.port=0")
    _stopped_with(done, "Did you mean 'limits'?")
    assert place.content() == before


def test_a_server_at_work_grades_nothing_once_the_settings_are_wrong(place: Place) -> None:
    """It is not ended, for people's kernels would be; with right settings its button is our engine's."""
    (place.root / CONFIG).unlink()
    with _server(place) as autograde:
        place.write_settings(_typo)
        before = place.content()
        answer = autograde()
        assert not answer["success"]
        assert "Did you mean 'limits'?" in answer["log"]
        assert {name: text for name, text in place.content().items() if not name.startswith("exchange/")} == before
        place.write_settings(lambda text: text.replace("[limitz]", "[limits]"))
        assert autograde()["success"]
    assert place.record() is not None
    assert not place.mark.exists()


def test_a_course_that_is_chosen_in_formgrader_is_graded_by_us(place: Place) -> None:
    """A server that was started elsewhere: formgrader's address names the folder whose settings are run."""
    (place.root / CONFIG).unlink()
    theirs = place.root / SUBMITTED / CONFIG
    theirs.write_text(f"open({str(place.mark)!r}, 'w').close()\n")
    with _server(place, place.root.parent) as autograde:
        assert autograde(f"course/{SUBMITTED}")["chosen"] == 500
        place.write_settings(_typo)
        wrong = autograde("course")
        assert wrong["chosen"] == 500
        assert not wrong["success"]
        place.write_settings(lambda text: text.replace("[limitz]", "[limits]"))
        right = autograde("course")
        assert (right["chosen"], right["success"]) == (302, True), right
    assert place.record() is not None
    assert not place.mark.exists()


@contextmanager
def _server(place: Place, folder: Path | None = None) -> Iterator[Callable[..., dict[str, Any]]]:
    """A person's Jupyter server in the course, and its formgrader's button for eve's submission, a course chosen."""
    port = free_port()
    options = (f"--ServerApp.port={port}", "--IdentityProvider.token=", "--ServerApp.disable_check_xsrf=True")
    command = [sys.executable, "-m", "jupyter", "server", "--no-browser", "--allow-root", *options]
    url = f"http://127.0.0.1:{port}"
    with (
        (place.home / "log").open("wb") as log,
        subprocess.Popen(command, cwd=folder or place.root, env=place.environment(), stdout=log, stderr=log) as process,
    ):
        try:
            _wait_for(f"{url}/api/status", process)
            yield partial(_press, url)
        finally:
            process.terminate()


def _press(url: str, chosen: str = "") -> dict[str, Any]:
    """What formgrader answers to its button, and with which status to the choice of a course before."""
    choice = httpx.get(f"{url}/formgrader", params={"path": chosen}, timeout=TIMEOUT_S).status_code if chosen else 0
    button = httpx.post(f"{url}/formgrader/api/submission/{ASSIGNMENT}/eve/autograde", timeout=TIMEOUT_S)
    answer = json.loads(button.text) if button.status_code == 200 else {"success": False}
    return answer | {"chosen": choice}


def _wait_for(url: str, process: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + TIMEOUT_S
    while time.monotonic() < until and process.poll() is None:
        try:
            if httpx.get(url, timeout=5).status_code == 200:
                return
        except httpx.TransportError:
            time.sleep(0.3)
    raise AssertionError(f"the server does not answer: {process.poll()}")


# ---- no file for nbgrader, or one that is broken or not reached -------------------------------------


def _graded_by_us(place: Place, done: subprocess.CompletedProcess[str]) -> None:
    assert done.returncode == 0, done.stderr
    record = place.record()
    assert record is not None
    assert record["sandbox"] == "bubblewrap"
    assert not place.mark.exists()


@pytest.mark.parametrize("file", ["", "c = get_config(\n", "c = get_config()\nraise ValueError('mine')\n", None])
def test_our_engine_grades_whatever_became_of_the_courses_file(place: Place, file: str | None) -> None:
    if file is None:
        (place.root / CONFIG).unlink()
    else:
        (place.root / CONFIG).write_text(file)
    _graded_by_us(place, place.nbgrader("autograde", ASSIGNMENT, "--force"))


@pytest.mark.parametrize(
    ("folder", "arguments"),
    [
        ("source", ()),
        ("gradebook", ("--CourseDirectory.root={root}",)),
        ("..", ("--course-dir={root}",)),
        (".", ("--course=another", "--Exchange.root=/nowhere")),
        ("..", ("--course-dir={root}", "--JupyterApp.config_file={root}/../other_config")),
        (".", ("--Autograde.sanitize_preprocessors=[]", "--Autograde.autograde_preprocessors=[]")),
    ],
)
def test_our_engine_grades_wherever_nbgrader_is_run_from(place: Place, folder: str, arguments: tuple[str, ...]) -> None:
    (place.root / CONFIG).unlink()
    (place.root.parent / "other_config.py").write_text("c = get_config()\n")
    options = (argument.format(root=place.root) for argument in arguments)
    done = place.nbgrader("autograde", ASSIGNMENT, "--force", *options, cwd=place.root / folder)
    _graded_by_us(place, done)


def test_nbgrader_of_an_environment_without_tito_does_not_grade(place: Place) -> None:
    before = place.content()
    program = "import sys; sys.modules['tito'] = None; from nbgrader.apps.nbgraderapp import main; main()"
    for variables in ({}, {"JUPYTER_NO_CONFIG": "1"}):
        done = place.run("python", "-c", program, "autograde", ASSIGNMENT, "--force", **variables)
        assert done.returncode == 1
        assert "cannot import" in done.stderr.strip().splitlines()[-1]
        assert "Traceback" not in done.stderr
    assert not place.mark.exists()
    assert place.content() == before


def test_nbgraders_own_converter_does_not_start_on_folders_of_a_course(place: Place, tmp_path: Path) -> None:
    """Called from elsewhere, with each folder named by itself."""
    before = place.content()
    folders = {"source": "source", "submitted": "submitted"}
    options = [f"--CourseDirectory.{name}_directory={place.root}/{step}" for name, step in folders.items()]
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    database = f"--db=sqlite:///{place.root}/gradebook/gradebook.db"
    done = place.run("nbgrader", "autograde", ASSIGNMENT, "--force", database, *options, cwd=elsewhere)
    _stopped_with(done, f"{place.root} has a course.toml")
    assert not place.mark.exists()
    assert place.content() == before


# ---- what a student hands in is not run by standing in it --------------------------------------------


def test_nbgrader_is_not_run_in_a_folder_that_was_handed_in(place: Place) -> None:
    folder = place.root / SUBMITTED
    for name in (CONFIG, "tomllib.py", "tito.py"):
        (folder / name).write_text(f"open({str(place.mark)!r}, 'w').close()\n")
    before = place.content()
    for command in (("validate", "doubling.ipynb"), ("list",), ("autograde", ASSIGNMENT, f"--course-dir={place.root}")):
        _stopped_with(place.run("nbgrader", *command, cwd=folder), "what students handed in", str(place.root))
    for option in (f"--course-dir={SUBMITTED}", f"--JupyterApp.config_file={SUBMITTED}/nbgrader_config"):
        _stopped_with(place.run("nbgrader", "list", option), "what students handed in", str(place.root))
    assert not place.mark.exists()
    assert place.content() == before


# ---- nbgrader's own engine: for plain courses, and by name -------------------------------------------


def test_whoever_asks_for_nbgraders_own_engine_by_name_gets_it(place: Place) -> None:
    done = place.run("nbgrader", "autograde", ASSIGNMENT, "--force", **{PLAIN_VARIABLE: "1"})
    assert done.returncode == 0, done.stderr
    assert place.mark.exists()
    assert place.record() is None


def test_a_name_that_says_neither_yes_nor_no_stops_the_work(place: Place) -> None:
    before = place.content()
    done = place.run("nbgrader", "autograde", ASSIGNMENT, "--force", **{PLAIN_VARIABLE: "yes"})
    _stopped_with(done, f"{PLAIN_VARIABLE} is 'yes'")
    assert place.content() == before


def test_a_plain_course_is_left_alone(place: Place, tmp_path: Path) -> None:
    """It has no course.toml; that it lies below a folder with one makes no difference."""
    for root in (tmp_path / "plain", place.root / "plain"):
        for step in ("source", "submitted", "gradebook"):
            shutil.copytree(place.root / step, root / step)
        (root / CONFIG).write_text("c = get_config()\nc.CourseDirectory.db_url = 'sqlite:///gradebook/gradebook.db'\n")
        done = place.run("nbgrader", "autograde", ASSIGNMENT, "--force", cwd=root)
        assert done.returncode == 0, done.stderr
        assert place.mark.exists()
        place.mark.unlink()


# ---- tito doctor ------------------------------------------------------------------------------------


def _doctor_says(place: Place, **variables: str) -> str:
    done = place.run("tito", "doctor", **variables)
    return next(line for line in done.stdout.splitlines() if "nbgrader's engine" in line)


def test_the_doctor_says_whether_nbgraders_commands_use_our_engine(place: Place, tmp_path: Path) -> None:
    assert _doctor_says(place).startswith("ok")
    own = _doctor_says(place, **{PLAIN_VARIABLE: "1"})
    assert "its own" in own
    assert "unprotected" in own
    assert _doctor_says(place, **{PLAIN_VARIABLE: "yes"}).startswith("MISSING")
    turned_off = _doctor_says(place, JUPYTER_NO_CONFIG="1")
    assert turned_off.startswith("MISSING")
    assert "JUPYTER_NO_CONFIG" in turned_off
    other = tmp_path / "bin" / "nbgrader"
    other.parent.mkdir()
    other.write_text("#!/bin/sh\n")
    other.chmod(0o755)
    elsewhere = _doctor_says(place, PATH=f"{other.parent}:{os.environ['PATH']}")
    assert elsewhere.startswith("MISSING")
    assert str(other) in elsewhere


@pytest.mark.parametrize("content", [None, "c = get_config()\n"])
def test_the_doctor_misses_what_the_package_installs(
    content: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "prefix", str(tmp_path))
    monkeypatch.setattr("jupyter_core.paths.jupyter_config_path", lambda: [str(tmp_path / "etc" / "jupyter")])
    if content is not None:
        (tmp_path / "etc" / "jupyter").mkdir(parents=True)
        (tmp_path / "etc" / "jupyter" / "jupyter_config.py").write_text(content)
    monkeypatch.setenv("PATH", str(tmp_path))
    check = next(check for check in examine(tmp_path) if check.name == "nbgrader's engine")
    assert not check.ok
    assert ("not there" if content is None else "not this version's") in check.detail
