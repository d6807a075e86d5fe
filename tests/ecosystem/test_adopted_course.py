"""An nbgrader course as tito's, in two commands, and back: the same gradebook and the same exchange all along."""

from __future__ import annotations

import csv
import json
import shutil
import subprocess
import sys
import time
import tomllib
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from command_line import Tito, command_line
from nbgrader_course import NBGRADER, NbgraderCourse
from ports import free_port

from tito.author.release import publish
from tito.course.course import load_course
from tito.gradebook.contents import scored
from tito.gradebook.records import read_record
from tito.gradebook.store import gradebook

pytestmark = pytest.mark.usefixtures("workers_ready")


@pytest.fixture
def course(quickstart_once: NbgraderCourse, tmp_path: Path) -> NbgraderCourse:
    return quickstart_once.copied(tmp_path)


@pytest.fixture
def tito_in(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Tito:
    monkeypatch.setenv("JUPYTER_PREFER_ENV_PATH", "1")
    return command_line(monkeypatch, capsys)


def points(course: NbgraderCourse) -> dict[str, float]:
    """Scores as `nbgrader export` writes them; it asks nobody but the gradebook."""
    course.nbgrader("export", "--to", "exported.csv")
    with (course.root / "exported.csv").open() as file:
        rows = {row["student_id"]: float(row["raw_score"] or 0) for row in csv.DictReader(file)}
    (course.root / "exported.csv").unlink()
    return rows


# ---- there -----------------------------------------------------------------------------------------------


def test_init_writes_one_file_and_changes_nothing_else(tito_in: Tito, course: NbgraderCourse) -> None:
    before = course.content()
    shown = tito_in(course.root, "init", "--dry-run")
    assert (shown.code, course.content()) == (0, before)
    done = tito_in(course.root, "init")
    assert done.code == 0
    after = course.content()
    assert set(after) - set(before) == {"course.toml"}
    assert {name: after[name] for name in before} == before
    text = (course.root / "course.toml").read_text()
    assert text in shown.out
    written = tomllib.loads(text)
    assert written["id"] == "course101"
    assert written["gradebook"] == {"db_url": "sqlite:///gradebook.db"}
    assert written["exchange"] == {"kind": "filesystem", "root": str(course.exchange)}
    assert written["gates"] == {"forgeable": "warn", "mutation": "off"}
    for part in ("gradebook.db: 1 assignment, 1 student, 1 graded submission", str(course.exchange), "ps1", "go back"):
        assert part in done.err

    again = tito_in(course.root, "init")
    assert again.code == 0
    assert "Nothing was changed" in again.err
    assert "DIFFERENT" not in again.err
    assert course.content() == after


def test_doctor_tells_what_it_has_found(tito_in: Tito, course: NbgraderCourse) -> None:
    before = {each["name"]: each for each in json.loads(tito_in(course.root, "doctor", "--json").out)}
    assert not before["course"]["ok"]
    assert "an nbgrader course" in before["course"]["detail"]
    assert "tito init" in before["course"]["hint"]
    tito_in(course.root, "init")
    after = {each["name"]: each for each in json.loads(tito_in(course.root, "doctor", "--json").out)}
    assert after["course"]["ok"]
    assert f"{course.root}/gradebook.db: 1 assignment" in after["gradebook"]["detail"]
    assert after["exchange"]["detail"] == f"nbgrader's own in {course.exchange}"
    assert f"grade with tito's engine in {course.root}" in after["nbgrader's engine"]["detail"]
    assert after["nbgrader's settings"]["ok"]

    settings = course.root / "course.toml"
    settings.write_text(settings.read_text().replace("gradebook.db", "other.db"))
    wrong = {each["name"]: each for each in json.loads(tito_in(course.root, "doctor", "--json").out)}
    assert not wrong["nbgrader's settings"]["ok"]
    assert f"{course.root}/other.db" in wrong["nbgrader's settings"]["detail"]


def test_what_nbgrader_has_graded_is_left_alone_until_it_is_asked_for(tito_in: Tito, course: NbgraderCourse) -> None:
    before = points(course)
    assert before["ada"] > 0
    tito_in(course.root, "init")
    done = tito_in(course.root, "autograde", "ps1")
    assert done.code == 0
    assert "1 graded" in done.err
    assert "1 left alone, since nbgrader itself has graded them: ada" in done.err
    assert "tito autograde ps1 --force" in done.err
    assert not (course.root / "gradebook" / "gradebook.db").exists()
    assert not (course.root / "exchange").exists()
    ours = load_course(course.root)
    assert read_record(ours, "ps1", "ada") is None
    record = read_record(ours, "ps1", "bob")
    assert record is not None
    earned = sum(cell.points or 0 for cell in record.cells)
    assert points(course) == {"ada": before["ada"], "bob": earned}
    assert 0 < earned < before["ada"]

    assert tito_in(course.root, "autograde", "ps1", "--force", "--student", "ada").code == 0
    record = read_record(ours, "ps1", "ada")
    assert record is not None
    assert points(course)["ada"] == sum(cell.points or 0 for cell in record.cells) == before["ada"]
    assert "left alone" not in tito_in(course.root, "autograde", "ps1").err


def test_what_is_handed_in_since_is_graded(tito_in: Tito, course: NbgraderCourse) -> None:
    tito_in(course.root, "init")
    course.hand_in("ada", "2026-11-03 10:00:00 UTC", squares="def squares(n):\n    return n")
    done = tito_in(course.root, "autograde", "ps1")
    assert "2 graded" in done.err
    assert "left alone" not in done.err


def test_a_run_that_was_stopped_between_gradebook_and_record_goes_on(tito_in: Tito, course: NbgraderCourse) -> None:
    """Points without a record are another grader's; but not where ours had begun."""
    tito_in(course.root, "init")
    tito_in(course.root, "autograde", "ps1")
    (course.root / "gradebook" / "verdicts" / "ps1" / "bob.json").write_text("")
    done = tito_in(course.root, "autograde", "ps1")
    assert "1 graded" in done.err
    assert "1 left alone" in done.err


def test_nbgraders_own_command_grades_with_our_engine(tito_in: Tito, course: NbgraderCourse) -> None:
    tito_in(course.root, "init")
    course.nbgrader("autograde", "ps1")
    ours = load_course(course.root)
    assert read_record(ours, "ps1", "bob") is not None
    assert read_record(ours, "ps1", "ada") is None  # nbgrader leaves alone what it finds in autograded/
    assert set(scored(ours.db_url, "ps1")) == {"ada", "bob"}


def test_feedback_on_what_nbgrader_has_graded_tells_nothing_hidden(tito_in: Tito, course: NbgraderCourse) -> None:
    path = course.root / "autograded" / "ada" / "ps1" / "problem1.ipynb"
    notebook = json.loads(path.read_text())
    test = next(cell for cell in notebook["cells"] if cell["metadata"].get("nbgrader", {}).get("points"))
    test["source"] = [
        *test["source"],
        "\n### BEGIN HIDDEN TESTS\nassert squares(3)[0] == 190283746\n### END HIDDEN TESTS",
    ]
    test["outputs"] = [
        {"output_type": "error", "ename": "AssertionError", "evalue": "190283746", "traceback": ["190283746"]}
    ]
    path.chmod(0o600)
    path.write_text(json.dumps(notebook))
    tito_in(course.root, "init")
    done = tito_in(course.root, "feedback", "ps1")
    assert (done.code, done.err.count("Wrote 2 feedback pages")) == (0, 1)
    page = (course.root / "feedback" / "ada" / "ps1" / "problem1.html").read_text()
    assert "A hidden check failed" in page
    assert "190283746" not in page
    assert "HIDDEN TESTS" not in page


def test_a_deadline_that_nbgrader_has_outlives_a_release(tito_in: Tito, course: NbgraderCourse) -> None:
    tito_in(course.root, "init")
    course.nbgrader("db", "assignment", "add", "ps1", "--duedate=2027-01-01 10:00:00 UTC")
    ours = load_course(course.root)
    publish(ours, ours.assignment("ps1"))
    with gradebook(ours) as opened:
        assert str(opened.find_assignment("ps1").duedate) == "2027-01-01 10:00:00"


# ---- and back --------------------------------------------------------------------------------------------


def test_without_our_files_nbgrader_goes_on_with_the_same_points(tito_in: Tito, course: NbgraderCourse) -> None:
    tito_in(course.root, "init")
    tito_in(course.root, "autograde", "ps1")
    assert "Wrote 4 feedback pages" in tito_in(course.root, "feedback", "ps1").err  # nbgrader's too
    graded = points(course)
    (course.root / "course.toml").unlink()
    shutil.rmtree(course.root / "gradebook")

    assert points(course) == graded
    course.nbgrader("generate_feedback", "ps1", "--force")
    assert "Grade cell" in (course.root / "feedback" / "bob" / "ps1" / "problem1.html").read_text()
    with formgrader(course) as url:
        rows = json.loads(fetch(f"{url}/formgrader/api/submissions/ps1"))
        assert {row["student"]: row["score"] for row in rows if row["autograded"]} == graded
        notebooks = json.loads(fetch(f"{url}/formgrader/api/submitted_notebooks/ps1/problem1"))
        bob = next(notebook for notebook in notebooks if notebook["student"] == "bob")
        assert "squares" in fetch(f"{url}/formgrader/submissions/{bob['id']}/")

    course.hand_in("cid", "2026-11-04 10:00:00 UTC")
    course.nbgrader("autograde", "ps1")
    assert points(course) == graded | {"cid": graded["ada"]}  # by nbgrader's engine, and nobody else anew


@contextmanager
def formgrader(course: NbgraderCourse) -> Iterator[str]:
    port = free_port()
    config = course.root.parent / "jupyter_server_config.json"
    extensions = {"nbgrader.server_extensions.formgrader": True}
    config.write_text(json.dumps({"ServerApp": {"jpserver_extensions": extensions}}))
    command = [sys.executable, "-m", "jupyter_server", "--allow-root", "--no-browser", "--ip=127.0.0.1"]
    command += [
        f"--port={port}",
        f"--config={config}",
        "--IdentityProvider.token=",
        f"--ServerApp.root_dir={course.root}",
    ]
    log = course.root.parent / "log"
    with log.open("w") as file:
        server = subprocess.Popen(command, cwd=course.root, env=course.environment(), stdout=file, stderr=file)
        try:
            url = f"http://127.0.0.1:{port}"
            for _ in range(240):
                assert server.poll() is None, log.read_text()
                try:
                    fetch(f"{url}/api")
                    break
                except OSError:
                    time.sleep(0.25)
            yield url
        finally:
            server.terminate()
            server.wait()


def fetch(url: str) -> str:
    with urllib.request.urlopen(url, timeout=60) as answer:
        return str(answer.read().decode())


# ---- a course.toml that does not say where things are ---------------------------------------------------------


def test_an_id_alone_makes_no_second_gradebook_and_no_second_exchange(tito_in: Tito, course: NbgraderCourse) -> None:
    settings = course.root / "course.toml"
    settings.write_text('id = "course101"\n')
    assert load_course(course.root).db_url == f"sqlite:///{course.root}/gradebook.db"
    assert "1 left alone" in tito_in(course.root, "autograde", "ps1").err
    settings.write_text('id = "course101"\n[gates]\nforgeable = "warn"\n')
    done = tito_in(course.root, "release", "ps1")
    assert done.code == 2
    assert "make a second one" in done.err
    assert 'kind = "filesystem"' in done.err
    assert not (course.root / "exchange").exists()

    (course.root / "gradebook").mkdir(exist_ok=True)
    shutil.copy(course.root / "gradebook.db", course.root / "gradebook" / "gradebook.db")
    done = tito_in(course.root, "status", "ps1")
    assert done.code == 2
    assert 'db_url = "sqlite:///gradebook.db"' in done.line


def test_a_gradebook_that_the_config_names_is_not_passed_over(tito_in: Tito, course: NbgraderCourse) -> None:
    elsewhere = course.root.parent / "elsewhere.db"
    (course.root / "gradebook.db").rename(elsewhere)
    config = course.root / "nbgrader_config.py"
    config.write_text(f'{config.read_text()}\nc.CourseDirectory.db_url = "sqlite:///{elsewhere}"\n')
    (course.root / "course.toml").write_text('id = "course101"\n')
    done = tito_in(course.root, "autograde", "ps1")
    assert done.code == 2
    assert f'db_url = "sqlite:///{elsewhere}"' in done.line
    theirs = course.run(*NBGRADER, "autograde", "ps1")
    assert theirs.returncode != 0
    assert f'db_url = "sqlite:///{elsewhere}"' in theirs.stderr

    (course.root / "course.toml").unlink()
    assert tito_in(course.root, "init").code == 0
    assert load_course(course.root).db_url == f"sqlite:///{elsewhere}"
    assert "1 left alone" in tito_in(course.root, "autograde", "ps1").err


# ---- what init refuses -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("c.CourseDirectory.source_directory = 'for/instructors'", "source_directory = 'for/instructors'"),
        ("c.CourseDirectory.directory_structure = '{assignment_id}/{nbgrader_step}/{student_id}'", "structure = '{as"),
        ("c.CourseDirectory.course_id = 'World Music'", "'World Music'"),
        ("c.CourseDirectory.course_id = 1 / 0", "ZeroDivisionError"),
        ("c.CourseDirectory.root = '/srv/elsewhere'", "/srv/elsewhere"),
        ("import sys; sys.exit('not today')", "not today"),
    ],
)
def test_settings_that_cannot_be_taken_over_are_one_line_and_nothing_is_written(
    line: str, message: str, tito_in: Tito, tmp_path: Path
) -> None:
    root = tmp_path / "course"
    (root / "source").mkdir(parents=True)
    (root / "nbgrader_config.py").write_text(f"c = get_config()\n{line}\n")
    done = tito_in(root, "init")
    assert done.code == 2
    assert message in done.line
    assert not (root / "course.toml").exists()


def test_folders_of_other_names_are_taken_over(tito_in: Tito, tmp_path: Path) -> None:
    root = tmp_path / "course"
    (root / "instructor" / "ps1").mkdir(parents=True)
    notebook = {"cells": [], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}
    (root / "instructor" / "ps1" / "a.ipynb").write_text(json.dumps(notebook))
    theirs = root / "handed_in" / "eve" / "ps1"
    theirs.mkdir(parents=True)
    (theirs / "nbgrader_config.py").write_text(f"open({str(tmp_path / 'mark')!r}, 'w')\n")
    (root / "nbgrader_config.py").write_text(
        "c = get_config()\nc.CourseDirectory.course_id = 'ml'\nc.CourseDirectory.source_directory = 'instructor'\n"
        "c.CourseDirectory.submitted_directory = 'handed_in'\n"
    )
    for _ in range(2):  # before and after it is a course of tito's
        refused = tito_in(theirs, "init")
        assert (refused.code, f"a part of the course in {root}" in refused.line) == (2, True)
        done = tito_in(root, "init")
        assert done.code == 0
    assert not (tmp_path / "mark").exists()
    course = load_course(root)
    assert (course.folders.source, course.folders.submitted) == ("instructor", "handed_in")
    assert [assignment.id for assignment in course.assignments] == ["ps1"]
    assert "not been released" in tito_in(root, "status", "ps1").line  # whose settings agree with nbgrader's


def test_an_exchange_of_another_kind_is_left_to_nbgrader(tito_in: Tito, tmp_path: Path) -> None:
    root = tmp_path / "course"
    (root / "source").mkdir(parents=True)
    (root / "nbgrader_config.py").write_text(
        "c = get_config()\nc.CourseDirectory.course_id = 'ml'\n"
        "c.ExchangeFactory.collect = 'ngshare_exchange.ExchangeCollect'\n"
    )
    assert tito_in(root, "init").code == 0
    course = load_course(root)
    assert course.exchange_kind == "nbgrader"
    (root / "source" / "ps1").mkdir()
    (root / "source" / "ps1" / "a.ipynb").write_text(
        json.dumps({"cells": [], "metadata": {}, "nbformat": 4, "nbformat_minor": 5})
    )
    done = tito_in(root, "collect", "ps1")
    assert done.code == 2
    assert "nbgrader collect" in done.line
    assert "what nbgrader_config.py names" in tito_in(root, "doctor").out


def test_a_password_is_written_into_no_file_that_did_not_hold_it(tito_in: Tito, tmp_path: Path) -> None:
    root = tmp_path / "course"
    (root / "source").mkdir(parents=True)
    config = root / "nbgrader_config.py"
    config.write_text(
        "import base64\nc = get_config()\nc.CourseDirectory.course_id = 'ml'\n"
        "word = base64.b64decode('c2VjcmV0').decode()\n"
        "c.CourseDirectory.db_url = f'postgresql://grader:{word}@127.0.0.1:9/ml'\n"
    )
    done = tito_in(root, "init")
    text = (root / "course.toml").read_text()
    assert done.code == 0
    assert "secret" not in text + done.out + done.err
    assert 'db_url = "$TITO_GRADEBOOK_DB"' in text
    assert "TITO_GRADEBOOK_DB" in done.err
    refused = tito_in(root, "status", "ps1")
    assert refused.code == 2
    assert "TITO_GRADEBOOK_DB, which is not set" in refused.line


def test_a_part_of_a_course_is_no_course(tito_in: Tito, tmp_path: Path) -> None:
    """What students hand in is run by nobody: their nbgrader_config.py leaves no mark."""
    root = tmp_path / "course"
    theirs = root / "submitted" / "eve" / "ps1"
    theirs.mkdir(parents=True)
    (root / "nbgrader_config.py").write_text("c = get_config()\n")
    (theirs / "nbgrader_config.py").write_text(f"open({str(tmp_path / 'mark')!r}, 'w')\n")
    done = tito_in(theirs, "init")
    assert done.code == 2
    assert f"a part of the course in {root}" in done.line
    assert not (tmp_path / "mark").exists()


# ---- a new course ---------------------------------------------------------------------------------------------


def test_in_an_empty_folder_init_makes_a_course_that_works(tito_in: Tito, tmp_path: Path) -> None:
    shown = tito_in(tmp_path, "init", "ml 101", "--dry-run")
    assert not (tmp_path / "ml 101").exists()
    assert 'id = "ml-101"' in shown.out
    done = tito_in(tmp_path, "init", "ml 101")
    root = tmp_path / "ml 101"
    assert done.code == 0
    before = {path: path.read_bytes() for path in root.rglob("*") if path.is_file()}
    assert "Nothing was changed" in tito_in(root, "init").err
    assert {path: path.read_bytes() for path in root.rglob("*") if path.is_file()} == before
    checked = tito_in(root, "check", "1")
    assert checked.code == 0
    assert "FAIL" not in checked.err + checked.out
    assert "warn" not in checked.err + checked.out


def test_a_folder_of_something_else_is_left_alone(tito_in: Tito, tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").write_text("x")
    done = tito_in(tmp_path, "init")
    assert done.code == 2
    assert "neither empty nor an nbgrader course" in done.line
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.tex"]
