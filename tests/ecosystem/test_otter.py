"""`tito otter`: the zip that Otter and Gradescope take, run by Otter itself on honest work. The same points as ours."""

from __future__ import annotations

import codecs
import json
import multiprocessing
import shutil
import subprocess
import sys
import zipfile
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nbformat
import pytest
from cases_support import (
    ASSIGNMENT,
    CASES,
    NOTEBOOK,
    Case,
    by_assignment,
    hand_in,
    notebook_of,
    plain,
    points_for,
    read_cases,
    with_cells,
    write,
)
from demo_course import Demo
from kernel_forks import fork_kernels
from otter_run import run_otter, scores_of

from tito.author.release import publish
from tito.author.variants import read_variants
from tito.cli.demo import PEOPLE, cast
from tito.course.course import Course, load_course
from tito.gradebook.records import read_record
from tito.models import Verdict
from tito.otter.zip import PARTS, write_otter_zip

OTTER = Path(sys.executable).with_name("otter")
# Otter is handed one file, whatever lies beside it: which copy of a notebook is graded is not its to choose.
COPIES = ("honest_copies_alike", "honest_copy_alone", "honest_copy_solved")
# Nor does it put names of the student's back after a test that has set them, or take a notebook with a picture that is
# none (nbformat's schema refuses it); and it has no time limit.
OURS_ALONE = (*COPIES, "honest_names_of_tests", "honest_star_import", "honest_pictures", "honest_endless_await")
HONEST = [case for case in read_cases() if case.kind == "honest" and case.name not in OURS_ALONE]
WITH_MARK = "honest_from_colab"  # begins with a byte order mark
WRONG = """\
# %% total
def total(values):
    return 7.0
"""
# Of the real module's simulated students; not the endless loop, which Otter would never end.
FORGING = ("endless", "hostile")  # kinds of simulated students that Otter is not asked about here


def without_mark(path: Path) -> None:
    path.write_bytes(path.read_bytes().removeprefix(codecs.BOM_UTF8))


@pytest.fixture(scope="module")
def pool() -> Any:
    spawning = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(2, mp_context=spawning, initializer=fork_kernels) as pool:
        yield pool


@dataclass(frozen=True)
class Place:
    """A released module of the cases' course, and its zip."""

    zipped: Path
    released: dict[str, Any]


@pytest.fixture(scope="module")
def places(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Place]:
    """By module."""
    root = tmp_path_factory.mktemp("otter") / "course"
    shutil.copytree(CASES / "assignment", root)
    course = load_course(root.resolve())
    return {name: _place(course, name) for name in by_assignment(HONEST)}


def _place(course: Course, name: str) -> Place:
    released = publish(course, course.assignment(name)) / notebook_of(name)
    zipped = write_otter_zip(course, course.assignment(name), course.root / f"{name}.zip")
    return Place(zipped, plain(nbformat.read(released, as_version=4)))


@pytest.fixture(scope="module")
def place(places: dict[str, Place]) -> Place:
    return places[ASSIGNMENT]


@pytest.fixture(scope="module")
def graded(places: dict[str, Place], pool: Any, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The runs of every honest case."""
    root = tmp_path_factory.mktemp("honest")
    runs = {}
    for case in HONEST:
        place, submission = places[case.assignment], root / case.name / case.notebook
        hand_in(case, place.released, submission.parent)
        if case.name == WITH_MARK:
            without_mark(submission)
        runs[case.name] = pool.submit(run_otter, place.zipped, submission, root / "to" / case.name)
    return runs


@pytest.mark.parametrize("case", HONEST, ids=lambda case: case.name)
def test_otter_gives_an_honest_case_our_points(graded: dict[str, Any], case: Case) -> None:
    """Ours are the case's own: the test of the corpus holds our engine to them."""
    verdicts = {name: verdict for name, verdict in case.verdicts.items() if verdict != Verdict.MANUAL.value}
    assert scores_of(graded[case.name].result()) == points_for(verdicts, case.assignment)


def test_otter_itself_cannot_read_a_notebook_that_begins_with_a_byte_order_mark(
    place: Place, pool: Any, tmp_path: Path
) -> None:
    """The one honest case that differs: Otter reads the file before any plugin. Without the mark it agrees, above."""
    (case,) = [case for case in HONEST if case.name == WITH_MARK]
    hand_in(case, place.released, tmp_path / "submitted")
    run = pool.submit(run_otter, place.zipped, tmp_path / "submitted" / NOTEBOOK, tmp_path / "to")
    with pytest.raises(nbformat.reader.NotJSONError):
        run.result()


def test_otter_gives_right_and_mistaken_work_of_a_real_module_our_points(demo: Demo, pool: Any, tmp_path: Path) -> None:
    """To the point of each named check, on the notebooks that the demo's students handed in."""
    zipped = write_otter_zip(demo.course, demo.assignment, tmp_path / "autograder.zip")
    played = cast(read_variants(demo.course, demo.assignment), 12)
    students = zip(played, (name.split()[0].lower() for name in PEOPLE), strict=False)
    runs, ours = {}, {}
    for student in (name for variant, name in students if variant.kind not in FORGING):
        (submission,) = demo.course.step("submitted", student, demo.assignment.id).glob("*.ipynb")
        runs[student] = pool.submit(run_otter, zipped, submission, tmp_path / student)
        record = read_record(demo.course, demo.assignment.id, student)
        assert record is not None
        ours[student] = {cell.grade_id: cell.points for cell in record.cells if cell.verdict is not Verdict.MANUAL}
    assert {student: scores_of(run.result()) for student, run in runs.items()} == ours
    assert len({tuple(scores.values()) for scores in ours.values()}) > 4


@pytest.fixture(scope="module")
def results(place: Place, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """results.json by the command itself, of a notebook with one function wrong and the others not written."""
    root = tmp_path_factory.mktemp("command")
    write(root, with_cells(place.released, WRONG))
    command = [OTTER, "run", "--autograder", place.zipped, "--output-dir", root, "--no-logo", root / NOTEBOOK]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr
    read: dict[str, Any] = json.loads((root / "results.json").read_text(encoding="utf-8"))
    return read


def test_results_hold_a_score_and_a_status_for_every_test(results: dict[str, Any]) -> None:
    scored = [test for test in results["tests"] if "score" in test]
    facts = {test["name"]: (test["score"], test["max_score"], test["status"]) for test in scored}
    assert facts == {
        "test_total": (0, 4, "failed"),
        "test_shares": (0, 3, "failed"),
        "test_running": (0, 2, "failed"),
        "test_largest": (0, 2, "failed"),
    }
    assert {test["visibility"] for test in scored} == {"hidden"}, "each of these tests has a hidden part"


def test_results_give_the_authors_message_to_whom_it_is_for(results: dict[str, Any]) -> None:
    """Of visible parts to the student; of hidden ones to the instructor alone."""
    output = {test["name"]: test["output"] for test in results["tests"]}
    (shown,) = [test for test in results["tests"] if test["visibility"] == "visible"]
    assert shown["name"] == "Public Tests"
    assert shown["status"] == "failed"
    assert "test_running visible 1 result" in shown["output"]
    assert "NotImplementedError" in shown["output"]
    assert "the total of nothing is 0" not in shown["output"]
    assert "the total of seven random numbers is wrong" in output["test_total"]


def test_the_zip_needs_nothing_of_the_platform_installed(place: Place, tmp_path: Path) -> None:
    """Its plugin is imported from the zip alone, as on Gradescope, where that is the first folder of the path."""
    with zipfile.ZipFile(place.zipped) as archive:
        archive.extractall(tmp_path)
    program = (
        "import sys; sys.path.insert(0, sys.argv[1]); import tito.otter.plugin; "
        "print(*(m.__file__ for n, m in sys.modules.items() if n == 'tito' or n.startswith('tito.')))"
    )
    done = subprocess.run(
        [sys.executable, "-P", "-c", program, tmp_path], capture_output=True, text=True, check=True, timeout=60
    )
    assert set(done.stdout.split()) == {str(tmp_path / "tito" / part) for part in PARTS}
