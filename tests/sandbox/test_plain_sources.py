"""Assignments as an existing nbgrader course has them: the gates say nothing false of them, and find what leaks."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import nbformat
import pytest
from command_line import Tito, command_line
from plain_course import names, write_plain_course

from tito.author.gates import run_gates
from tito.author.release import build_release
from tito.author.source_gates import SECRETS, leak_gates, metadata_gates, same_bytes
from tito.course.cells import read_cells
from tito.course.course import Course
from tito.course.script import source_notebooks
from tito.models import Gate
from tito.plan.leaks import find_leaks
from tito.plan.secret_texts import LINE, public_of, secrets_of
from tito.sandbox.bubblewrap import Bubblewrap

pytestmark = pytest.mark.usefixtures("in_process")


@pytest.fixture
def tito_in(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Tito:
    return command_line(monkeypatch, capsys)


SHARES = {"euler": "rk4", "heat": "draw"}  # solutions that set up what given code sets up too: told, and not refused


@pytest.mark.parametrize("name", names())
def test_an_honest_assignment_passes_all_gates(name: str, tmp_path: Path) -> None:
    course = write_plain_course(tmp_path / "course", name)
    gates = run_gates(course, course.assignment(name), Bubblewrap()).gates
    assert [gate for gate in gates if not gate.ok] == []
    assert [gate.where for gate in gates if gate.name == SECRETS and gate.warning] == [
        SHARES[name] for _ in range(name in SHARES)
    ]


@pytest.mark.parametrize("version", [(4, 2), (4, 5)])
def test_notebooks_are_taken_as_other_programs_have_left_them(version: tuple[int, int], tmp_path: Path) -> None:
    """Without ids and with outputs, beside copies of Jupyter's own and a notebook that is no part of it."""
    course = write_plain_course(tmp_path / "course", "quiz")
    folder = course.step("source", "quiz")
    content = json.loads((folder / "quiz.ipynb").read_text())
    content["nbformat"], content["nbformat_minor"] = version
    for cell in content["cells"]:
        del cell["id"]
        if cell["cell_type"] == "code":
            cell["outputs"] = [{"output_type": "stream", "name": "stdout", "text": ['answer_1 = "b"\n']}]
    (folder / "quiz.ipynb").write_text(json.dumps(content))
    for name in (".ipynb_checkpoints", "data"):
        (folder / name).mkdir()
    shutil.copy(folder / "quiz.ipynb", folder / ".ipynb_checkpoints" / "quiz-checkpoint.ipynb")
    shown = nbformat.v4.new_code_cell("1", outputs=[nbformat.v4.new_output("stream", text="1")])
    nbformat.write(nbformat.v4.new_notebook(cells=[shown]), folder / "data" / "lecture.ipynb")
    assert [gate for gate in without_code(course, "quiz", tmp_path) if not gate.ok] == []
    build_release(course, course.assignment("quiz"), tmp_path / "again")
    assert same_bytes(tmp_path / "release", tmp_path / "again").ok
    assert [path.name for path in (tmp_path / "release").rglob("*")] == ["quiz.ipynb"]  # nbgrader copies no others


def without_code(course: Course, name: str, scratch: Path) -> list[Gate]:
    """What the gates that run nothing say."""
    assignment = course.assignment(name)
    source = source_notebooks(course, assignment)
    artefact = build_release(course, assignment, scratch / "release")
    return [*metadata_gates(source), *leak_gates(course, assignment, source, artefact)]


# By assignment: the cell whose secret it is, and a line of it
LEAKS = {
    "accounts": ("account", "self.history.append(('withdraw', amount))"),
    "cosine": ("cosine", "return u @ v / (np.linalg.norm(u) * np.linalg.norm(v))"),
    "dice": ("estimate_pi", "inside = np.sum(x**2 + y**2 <= 1)"),
    "euler": ("euler", "y[n + 1] = y[n] + (t[n + 1] - t[n]) * f(t[n], y[n])"),
    "grid": ("trapezoid", "return h * (f(x[0]) / 2 + np.sum(f(x[1:-1])) + f(x[-1]) / 2)"),
    "heat": ("step", "new[1:-1] = u[1:-1] + dt / dx ** 2 * (u[2:] - 2 * u[1:-1] + u[:-2])"),
    "letters": ("print_table", "for letter in sorted(counts, key=lambda letter: (-counts[letter], letter)):"),
    "linear_systems": ("back_substitution", "x[i] = (b[i] - U[i, i + 1:] @ x[i + 1:]) / U[i, i]"),
    "quiz": ("question_3", "squares = [number ** 2 for number in range(1, 6)]"),
    "rain": ("total_by_station", "totals = df.groupby('station')['rain_mm'].sum()"),
    "root_finding": ("newton", "step = f(iterates[-1]) / df(iterates[-1])"),
}


def plant(place: str, line: str, notebook: Any) -> None:
    """Put a line where students would see it."""
    first = notebook.cells[0]
    if place == "text":
        first.source += f"\n\nHint: `{line}`"
    elif place == "metadata":
        first.metadata["note"] = line
    elif place == "comment":
        notebook.cells.append(nbformat.v4.new_code_cell(f"# {line}", id="planted"))
    else:
        notebook.cells.append(nbformat.v4.new_code_cell(line, id="planted"))


@pytest.mark.parametrize("place", ["text", "metadata", "comment", "code"])
@pytest.mark.parametrize("name", LEAKS)
def test_a_line_of_a_solution_that_students_would_see_is_found(name: str, place: str, tmp_path: Path) -> None:
    course = write_plain_course(tmp_path / "course", name)
    where, line = LEAKS[name]
    path = min(course.step("source", name).glob("*.ipynb"))
    notebook = nbformat.read(path, as_version=4)
    plant(place, line.replace("'", '"') if name in ("accounts", "rain") else line, notebook)
    nbformat.write(notebook, path)
    refused = [gate.where for gate in without_code(course, name, tmp_path) if not gate.ok or gate.warning]
    assert where in refused


def test_every_finding_says_cell_place_line_and_what_to_do(tmp_path: Path) -> None:
    course = write_plain_course(tmp_path / "course", "root_finding")
    path = course.step("source", "root_finding", "root_finding.ipynb")
    notebook = nbformat.read(path, as_version=4)
    plant("text", "step = f(iterates[-1]) / df(iterates[-1])", notebook)
    plant("text", "assert np.isclose(root, np.pi / 2)", notebook)
    nbformat.write(notebook, path)
    newton, test = [gate for gate in without_code(course, "root_finding", tmp_path) if not gate.ok]
    assert newton.where == "newton"
    assert newton.detail == (
        "the text of cell number 1 in root_finding.ipynb shows of its solution or mark scheme: "
        "`step = f(iterates[-1]) / df(iterates[-1])`"
    )
    assert "### SHOWN `the line`: reason" in newton.hint
    assert "say in cell newton" in newton.hint
    assert (test.where, "of its hidden test" in test.detail) == ("test_newton", True)


# ---- metadata as old courses have them ---------------------------------------------------------------


def with_metadata(version: int | None, notebook: Any, *, solved: dict[str, str] | None = None) -> Any:
    """A notebook as an older nbgrader wrote it: without what came later, and with what it kept then."""
    for cell in notebook.cells:
        meta = cell.metadata.get("nbgrader")
        if meta is None:
            continue
        cell.source = (solved or {}).get(meta["grade_id"], cell.source)
        for name in ("schema_version", "task"):
            meta.pop(name, None)
        if version is not None:
            meta["schema_version"] = version
        else:
            meta["oldfield"] = "x"
            for flag in [flag for flag in ("grade", "solution", "locked") if not meta[flag]]:
                del meta[flag]
            if "points" in meta:
                meta["points"] = str(meta["points"])
    return notebook


@pytest.mark.parametrize("version", [None, 0, 1, 2])
def test_an_old_course_is_released_and_graded_as_it_is(version: int | None, tito_in: Tito, tmp_path: Path) -> None:
    course = write_plain_course(tmp_path / "course", "quiz")
    path = course.step("source", "quiz", "quiz.ipynb")
    nbformat.write(with_metadata(version, nbformat.read(path, as_version=4)), path)
    before = path.read_bytes()
    done = tito_in(course.root, "release", "quiz", "--no-exchange")
    assert done.code == 0, done.err
    assert path.read_bytes() == before
    folder = course.step("submitted", "ada", "quiz")
    folder.mkdir(parents=True)
    released = nbformat.read(course.step("release", "quiz", "quiz.ipynb"), as_version=4)
    answers = {
        "question_1": 'answer_1 = "b"',
        "question_2": 'answer_2 = "d"',
        "question_3": "squares = [1, 4, 9, 16, 25]",
    }
    nbformat.write(with_metadata(version, released, solved=answers), folder / "quiz.ipynb")
    assert tito_in(course.root, "autograde", "quiz").code == 0
    (row,) = json.loads(tito_in(course.root, "grades", "quiz", "--json").out)
    assert (row["score"], row["max_score"]) == (3.0, 3.0)
    assert tito_in(course.root, "feedback", "quiz").code == 0


def test_what_metadata_lack_is_told_by_notebook_and_cell_and_no_error_of_ours(tito_in: Tito, tmp_path: Path) -> None:
    course = write_plain_course(tmp_path / "course", "quiz")
    path = course.step("source", "quiz", "quiz.ipynb")
    notebook = nbformat.read(path, as_version=4)
    tests = [cell.metadata.nbgrader for cell in notebook.cells if cell.metadata.get("nbgrader", {}).get("grade")]
    del tests[0]["points"], tests[1]["locked"]
    nbformat.write(notebook, path)
    done = tito_in(course.root, "release", "quiz", "--no-exchange")
    assert done.code == 1
    assert "2 to mend:" in done.err
    assert 'question_1_test: it is graded and has no points\n     → Add "points": 1' in done.err
    assert "question_2_test: its metadata lack 'locked'\n     → Add \"locked\": true" in done.err
    assert "internal error" not in done.err


def test_a_file_that_is_no_notebook_is_told_by_its_path(tito_in: Tito, tmp_path: Path) -> None:
    course = write_plain_course(tmp_path / "course", "quiz")
    course.step("source", "quiz", "draft.ipynb").write_text("{")
    done = tito_in(course.root, "check", "quiz")
    assert done.code == 2
    assert "draft.ipynb cannot be read as a notebook" in done.line


@pytest.mark.parametrize("name", names())
def test_each_line_of_each_solution_is_found_in_a_text(name: str, tmp_path: Path) -> None:
    """Of those that say something, and are long enough to be known by themselves."""
    course = write_plain_course(tmp_path / "course", name)
    notebooks = source_notebooks(course, course.assignment(name)).values()
    cells = [cell for notebook in notebooks for cell in read_cells(notebook.cells)]
    release, lines = tmp_path / "release", 0
    release.mkdir()
    for secret in secrets_of(cells):
        for row, line in enumerate(secret.text.split("\n")):
            if secret.is_test or row in secret.silent or len("".join(line.split())) < LINE:
                continue
            (release / "notes.md").write_text(f"Write {line.strip()} there.")
            assert secret.where in [leak.where for leak in find_leaks(release, [secret], public_of(cells))]
            lines += 1
    assert lines
