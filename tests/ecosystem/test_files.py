"""Assignments that work on files, graded by us and by plain nbgrader: honest work never gets less from us."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import data_course
import pytest
from data_course import hand_in, write_course

from tito.author.gates import run_gates
from tito.cli.demo import plain_nbgrader_scores
from tito.course.course import Course
from tito.doctor import examine
from tito.errors import SandboxUnavailable
from tito.feedback.pages import write_pages
from tito.grade.cohort import autograde
from tito.gradebook.records import read_record
from tito.models import Evidence, SubmissionRecord, Verdict
from tito.sandbox.backends import backend
from tito.sandbox.bubblewrap import Bubblewrap
from tito.sandbox.launch import Backend

pytestmark = pytest.mark.usefixtures("workers_ready")

RIGHT = {"ada": {}, "bob": data_course.STUDENTS_WAY}
WRONG = {"cid": {"add_reading": "def add_reading(day, value):\n    pass"}}


@pytest.fixture(scope="module")
def course(tmp_path_factory: pytest.TempPathFactory) -> Course:
    course = write_course(tmp_path_factory.mktemp("data"))
    for student, cells in (RIGHT | WRONG).items():
        hand_in(course, student, **cells)
    return course


@pytest.fixture(scope="module")
def plain(course: Course) -> dict[str, float]:
    """Scores of plain nbgrader."""
    return plain_nbgrader_scores(course, course.assignment("ps1"), tuple(RIGHT | WRONG))


def isolation(name: str) -> Backend:
    try:
        return Bubblewrap(layers=False) if name == "copies" else backend(name)
    except SandboxUnavailable as error:
        pytest.skip(str(error))


def points_of(record: SubmissionRecord | None) -> float:
    assert record is not None
    assert not record.platform_fault
    return sum(cell.points or 0.0 for cell in record.cells)


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("name", ["bubblewrap", "copies", "landlock", "none"])
def test_work_on_supplied_files_gets_what_nbgrader_gives(course: Course, plain: dict[str, float], name: str) -> None:
    before = {step: contents(course.step(step)) for step in ("source", "release", "submitted")}
    autograde(course, course.assignment("ps1"), isolation(name), force=True)
    scores = {student: points_of(read_record(course, "ps1", student)) for student in plain}
    assert plain == {"ada": 8, "bob": 8, "cid": 6}
    assert scores == plain
    assert {step: contents(course.step(step)) for step in before} == before


def test_a_file_that_is_too_large_to_be_copied_is_said_to_be_what_failed(tmp_path: Path) -> None:
    settings = data_course.SETTINGS.replace("[sandbox]\n", '[sandbox]\nbackend = "landlock"\n')
    course = write_course(tmp_path / "course", f"{settings}\n[files]\ncopied_mb = 0\n")
    hand_in(course, "bob", **data_course.STUDENTS_WAY)
    doctor = {diagnosis.name: diagnosis for diagnosis in examine(course.root)}
    assert not doctor["files"].ok
    assert "ps1: " in doctor["files"].detail and "readings.csv" in doctor["files"].detail
    autograde(course, course.assignment("ps1"), isolation("landlock"))
    record = read_record(course, "ps1", "bob")
    assert record is not None
    assert any("readings.csv" in note and "could only be read" in note for note in record.notebooks[0].notes)


LOG = """\
def note(text):
    with open("log.txt", "a") as file:
        file.write(text)

def noted():
    with open("log.txt") as file:
        return file.read()
"""
ON_A_LOG = {
    "record": "def record(text):\n    ### BEGIN SOLUTION\n    log.note(text)\n    ### END SOLUTION\n",
    "twice": "def twice(x):\n    ### BEGIN SOLUTION\n    return 2 * x\n    ### END SOLUTION\n",
}
TESTS_ON_A_LOG = {
    "record": """\
record("a")
first = log.noted()
### JUDGE
assert first == "a"
### BEGIN HIDDEN TESTS
record("b")
second = log.noted()
### JUDGE
assert second == "ab"
### END HIDDEN TESTS
""",
    "twice": "record('c')\ny = twice(4)\n### JUDGE\nassert y == 8\n",
}


@pytest.mark.parametrize("name", ["bubblewrap", "landlock"])
def test_a_hidden_section_sees_the_files_as_they_stood_at_its_test_whoever_wrote_them(
    tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(data_course, "HEAD", "import log")
    monkeypatch.setattr(data_course, "MODULES", {"log.py": LOG})
    course = write_course(tmp_path / "course", solved=ON_A_LOG, tests=TESTS_ON_A_LOG)
    hand_in(course, "ada")
    autograde(course, course.assignment("ps1"), isolation(name))
    assert points_of(read_record(course, "ps1", "ada")) == 4


# ---- what students hand in beside the notebook ---------------------------------------------------

WITH_HELPER = "import helper\n\ndef mean_of_mine():\n    return helper.mean('measured.csv')"
HELPER = (
    b"def mean(path):\n    numbers = [*map(float, open(path).read().split())]\n    return sum(numbers) / len(numbers)\n"
)
MINE = {"measured.csv": b"1\n3\n", "helper.py": HELPER, "figures/plot.png": b"\x89PNG"}
SHADOWS = dict.fromkeys(
    ("numpy.py", "random.py", "statistics.py", "sitecustomize.py", "conftest.py", "tito/__init__.py", "IPython.py",
     "shop.db", "readings.csv", "tables/raw.txt"),
    b"raise SystemExit('shadow')\n",
)  # fmt: skip
WANTED = '[files]\nsubmitted = ["*.csv", "helper.py"]\nassignments = {{ ps1 = ["figures/*.png"{more}] }}\n'


MEASURED = """\
def mean_of_mine():
    ### BEGIN SOLUTION
    values = [float(line) for line in open("measured.csv").read().split()]
    return sum(values) / len(values)
    ### END SOLUTION
"""


def own_course(folder: Path, files: str = "") -> Course:
    return write_course(
        folder, f"{data_course.SETTINGS}\n{files}", data_course.OF_THEIR_OWN, data_course.TESTS_OF_THEIR_OWN
    )


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Course:
    """A course that wants some files, and what students hand in with them and without."""
    course = own_course(tmp_path_factory.mktemp("own"), WANTED.format(more=""))
    hand_in(course, "ada", MINE)
    hand_in(course, "bob", {**MINE, "notes <b>.txt": b"notes"}, measured=WITH_HELPER)
    hand_in(course, "cid")
    return course


@pytest.mark.parametrize("name", ["bubblewrap", "copies", "landlock", "none"])
def test_what_is_handed_in_beside_the_notebook_counts_as_for_nbgrader(own: Course, name: str) -> None:
    before = contents(own.step("submitted"))
    autograde(own, own.assignment("ps1"), isolation(name), force=True)
    records = {student: read_record(own, "ps1", student) for student in ("ada", "bob", "cid")}
    assert {student: points_of(record) for student, record in records.items()} == {"ada": 4, "bob": 4, "cid": 2}
    assert {student: record.files for student, record in records.items() if record} == {
        "ada": tuple(sorted(MINE)), "bob": tuple(sorted(MINE)), "cid": ()
    }  # fmt: skip
    assert contents(own.step("submitted")) == before


def test_the_files_go_to_autograded_as_nbgrader_has_them(own: Course, tmp_path: Path) -> None:
    theirs = tmp_path / "plain"
    scores = plain_nbgrader_scores(own, own.assignment("ps1"), ("ada", "bob", "cid"), theirs)
    assert scores == {"ada": 4, "bob": 4, "cid": 2}
    autograde(own, own.assignment("ps1"), Bubblewrap(), force=True)
    ours = contents(own.step("autograded", "ada", "ps1"))
    expected = contents(theirs / "ada" / "ps1")
    shipped = {"readings.csv", "shop.db", "tables/raw.txt"}
    assert ours.keys() == expected.keys() - shipped - {"notes <b>.txt"}
    assert {name: ours[name] for name in MINE} == MINE == {name: expected[name] for name in MINE}


def test_what_was_left_out_is_said_to_instructor_and_student(own: Course) -> None:
    autograde(own, own.assignment("ps1"), Bubblewrap(), force=True)
    done = subprocess.run(
        [Path(sys.executable).with_name("tito"), "status", "ps1"],
        cwd=own.root,
        capture_output=True,
        text=True,
        check=True,
    )
    assert "this was not used: notes ?b?.txt" in " ".join(done.stdout.split())
    (page,) = write_pages(own, own.assignment("ps1"), ("bob",)).pages
    text = page.read_text(encoding="utf-8")
    assert "Please note: of what was handed in beside the notebook, this was not used: notes ?b?.txt" in text
    assert "the course does not ask for it" in text
    (page,) = write_pages(own, own.assignment("ps1"), ("ada",)).pages
    assert "Please note" not in page.read_text(encoding="utf-8")


def test_without_a_pattern_nothing_is_used_and_that_is_said(tmp_path: Path) -> None:
    course = own_course(tmp_path / "course")
    hand_in(course, "ada", MINE)
    autograde(course, course.assignment("ps1"), Bubblewrap())
    record = read_record(course, "ps1", "ada")
    assert record is not None
    assert (points_of(record), record.files) == (2, ())
    (note,) = record.notebooks[0].notes
    assert all(name in note for name in MINE)


@pytest.mark.parametrize("name", ["bubblewrap", "landlock", "none"])
def test_files_that_would_stand_in_the_place_of_others_change_no_verdict(tmp_path: Path, name: str) -> None:
    course = own_course(tmp_path / "course", WANTED.format(more=', "**"'))
    hand_in(course, "ada", {**MINE, **SHADOWS}, measured=f"import random, statistics\n{WITH_HELPER}")
    hand_in(course, "eve", SHADOWS, twice="def twice(x):\n    return x")
    autograde(course, course.assignment("ps1"), isolation(name))
    ada, eve = (read_record(course, "ps1", student) for student in ("ada", "eve"))
    assert (points_of(ada), points_of(eve)) == (4, 0)
    assert ada is not None and eve is not None
    assert (ada.files, eve.files) == (tuple(sorted(MINE)), ())
    twice = next(cell for cell in ada.cells if cell.grade_id == "test_twice")
    assert (twice.verdict, twice.evidence) == (Verdict.PASSED, Evidence.JUDGED)


def test_nbgraders_own_command_uses_them_too(tmp_path: Path) -> None:
    course = own_course(tmp_path / "course", WANTED.format(more=""))
    hand_in(course, "ada", {**MINE, "notes.txt": b"notes"})
    command = Path(sys.executable).with_name("nbgrader")
    subprocess.run([command, "autograde", "ps1"], cwd=course.root, capture_output=True, check=True)
    record = read_record(course, "ps1", "ada")
    assert points_of(record) == 4
    ours = contents(course.step("autograded", "ada", "ps1"))
    assert {name: ours.get(name) for name in MINE} == MINE
    assert "notes.txt" not in ours


def test_a_submission_is_graded_again_when_what_is_used_of_it_changes(tmp_path: Path) -> None:
    course = own_course(tmp_path / "course", WANTED.format(more=""))
    folder = hand_in(course, "ada", {"measured.csv": b"9\n"})
    assignment = course.assignment("ps1")
    assert len(autograde(course, assignment, Bubblewrap()).graded) == 1
    assert len(autograde(course, assignment, Bubblewrap()).graded) == 0
    assert points_of(read_record(course, "ps1", "ada")) == 2
    (folder / "measured.csv").write_bytes(b"2\n")
    assert len(autograde(course, assignment, Bubblewrap()).graded) == 1
    assert points_of(read_record(course, "ps1", "ada")) == 4


def test_the_reference_hands_in_files_too_and_passes_the_gates(tmp_path: Path) -> None:
    solved = data_course.OF_THEIR_OWN | {"measured": MEASURED}
    course = write_course(
        tmp_path / "course", f"{data_course.SETTINGS}\n{WANTED.format(more='')}", solved, data_course.TESTS_OF_THEIR_OWN
    )
    assignment = course.assignment("ps1")
    lost = [gate.where for gate in run_gates(course, assignment, Bubblewrap()).gates if not gate.ok]
    assert lost == ["test_measured"]
    folder = course.step("variants", "ps1", "handed_in")
    folder.mkdir(parents=True)
    (folder / "measured.csv").write_text("2\n")
    (folder / "unasked.txt").write_text("no pattern names it")
    assert run_gates(course, assignment, Bubblewrap()).ok
    assert not list(course.step("release", "ps1").glob("measured.csv"))
    hand_in(course, "ada", {"measured.csv": b"1\n3\n"})
    hand_in(course, "cid")
    autograde(course, assignment, Bubblewrap())
    assert [points_of(read_record(course, "ps1", student)) for student in ("ada", "cid")] == [4, 2]


IN_WAL_MODE = {
    "add_customer": """\
connection = sqlite3.connect("shop.db")
connection.execute("PRAGMA journal_mode=WAL")
connection.execute("insert into customers values ('zoe')")
connection.execute("delete from customers where name = 'zoe'")
connection.commit()

def add_customer(name):
    connection.execute("insert into customers values (?)", (name,))
    connection.commit()
"""
}
TESTS_OF_CUSTOMERS = f"""\
{data_course.TESTS["add_customer"]}
add_customer("fay")
assert customers() == ["ada", "eve", "fay"]
### BEGIN HIDDEN TESTS
add_customer("guy")
assert customers()[-1] == "guy"
add_customer("hal")
assert customers()[-2:] == ["guy", "hal"]
### END HIDDEN TESTS
"""


@pytest.mark.parametrize("name", ["bubblewrap", "copies"])
def test_a_database_in_wal_mode_that_is_open_at_a_test_costs_nothing(tmp_path: Path, name: str) -> None:
    course = write_course(tmp_path / "course", tests=data_course.TESTS | {"add_customer": TESTS_OF_CUSTOMERS})
    hand_in(course, "bob", **IN_WAL_MODE)
    autograde(course, course.assignment("ps1"), isolation(name))
    record = read_record(course, "ps1", "bob")
    assert record is not None
    assert [(cell.grade_id, cell.verdict) for cell in record.cells if cell.verdict is not Verdict.PASSED] == []
