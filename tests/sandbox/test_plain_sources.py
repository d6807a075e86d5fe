"""Assignments as an existing nbgrader course has them: the gates say nothing false of them, and find what leaks."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import nbformat
import pytest
from plain_course import names, write_plain_course

from tito.author.gates import run_gates
from tito.author.release import build_release
from tito.author.source_gates import SECRETS, leak_gates, metadata_gates
from tito.course.course import Course
from tito.course.script import source_notebooks
from tito.models import Gate
from tito.sandbox.bubblewrap import Bubblewrap

pytestmark = pytest.mark.usefixtures("in_process")

SHARES = {"euler": "rk4", "heat": "draw"}  # solutions that set up what given code sets up too: told, and not refused


@pytest.mark.parametrize("name", names())
def test_an_honest_assignment_passes_all_gates(name: str, tmp_path: Path) -> None:
    course = write_plain_course(tmp_path / "course", name)
    gates = run_gates(course, course.assignment(name), Bubblewrap()).gates
    assert [gate for gate in gates if not gate.ok] == []
    assert [gate.where for gate in gates if gate.name == SECRETS and gate.warning] == [
        SHARES[name] for _ in range(name in SHARES)
    ]


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
