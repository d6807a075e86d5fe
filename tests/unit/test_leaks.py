"""The search of a built release for solutions, hidden tests, mark schemes and outputs."""

from __future__ import annotations

import base64
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nbformat
import pytest
from tiny import MARK_SCHEME, meta, script

from tito.course.cells import read_cells
from tito.course.course import Course
from tito.course.script import read_script
from tito.plan.leaks import Leak, find_leaks, find_outputs, public_of, secrets_of

SOLUTION = "numbers_as_floats = np.asarray(values, dtype=np.float64)"
HIDDEN = "far_away = 1e6 * rng.normal(size=5)"
SCHEME = f"{MARK_SCHEME} that grows, one for the digits that stay as they are"


@pytest.fixture
def cells(course: Course) -> Any:
    return read_cells(read_script(course.step("source", "07_doubling.py")).notebook.cells)


@pytest.fixture
def search(cells: Any, tmp_path: Path) -> Callable[..., list[Leak]]:
    artefact = tmp_path / "artefact"
    artefact.mkdir()

    def run(prerequisites: str = "", **files: Any) -> list[Leak]:
        for name, content in files.items():
            if isinstance(content, str):
                (artefact / f"{name}.py").write_text(content)
            else:
                nbformat.write(nbformat.v4.new_notebook(cells=content), artefact / f"{name}.ipynb")
        return find_leaks(artefact, secrets_of(cells), public_of(cells), prerequisites)

    return run


def code(source: str = "", **facts: Any) -> Any:
    return nbformat.v4.new_code_cell(source, id="cell", **facts)


def test_the_secrets_of_a_notebook_are_its_solutions_hidden_tests_and_mark_schemes(cells: Any) -> None:
    secrets = {secret.where: (secret.text, secret.is_test) for secret in secrets_of(cells)}
    assert set(secrets) == {"double", "test_double", "halve", "test_halve", "task_why"}
    assert SOLUTION in secrets["double"][0]
    assert HIDDEN in secrets["test_double"][0]
    assert secrets["test_double"][1]
    assert SCHEME in secrets["task_why"][0]


def test_a_cell_that_is_all_solution_is_a_secret_as_a_whole(course: Course) -> None:
    cell = f"# %% {meta('whole', solution=True)}\ndef whole(values):\n    return sorted(values, key=lambda v: -v)\n"
    path = course.step("source", "07_doubling.py")
    path.write_text(script(whole=cell))
    assert "whole" in {secret.where for secret in secrets_of(read_cells(read_script(path).notebook.cells))}


def test_what_students_get_holds_no_secret(search: Callable[..., list[Leak]]) -> None:
    assert search(notebook=[code("x = np.array([1.0, 2.0])\ny = double(x.copy())")]) == []


@pytest.mark.parametrize(
    ("planted", "where"),
    [(SOLUTION, "double"), (HIDDEN, "test_double"), (SCHEME, "task_why"), (f"  {SOLUTION}  # mine", "double")],
)
def test_a_secret_is_found_wherever_it_stands(planted: str, where: str, search: Callable[..., list[Leak]]) -> None:
    places = {
        "source": [code(f"a = 1\n{planted}\nb = 2")],
        "metadata": [code(metadata={"note": {"deep": [planted]}})],
        "output": [code(outputs=[nbformat.v4.new_output("stream", text=f"said:\n{planted}\n")])],
        "attachment": [nbformat.v4.new_markdown_cell("look", id="a", attachments={
            "x.txt": {"text/plain": base64.b64encode(f"padding {'.' * 40}\n{planted}\n".encode()).decode()}})],
        "comment": f"# a file\n# {planted}\n",
    }  # fmt: skip
    leaks = search(**places)
    assert {leak.file.split(".")[0] for leak in leaks if leak.where == where} == set(places)


def test_a_run_of_tokens_is_found_across_other_line_breaks(search: Callable[..., list[Leak]]) -> None:
    text = "rng=np.random.\n  default_rng( HIDDEN_SEED )\nnear = rng. \n normal(size = 3)"
    assert [leak.where for leak in search(notebook=[code(text)])] == ["test_double"]


def test_a_hidden_test_may_repeat_what_its_visible_part_says_a_solution_may_not(
    search: Callable[..., list[Leak]], cells: Any
) -> None:
    assert "y = double(x.copy())" in public_of(cells)
    assert "numbers_as_floats" not in public_of(cells)


def test_what_the_modules_below_hold_is_no_secret(search: Callable[..., list[Leak]]) -> None:
    assert search(prerequisites=f"{SOLUTION}\n    return numbers_as_floats * 2\n", below=SOLUTION) == []


def test_outputs_and_counts_that_survived_are_found(tmp_path: Path) -> None:
    cells = [
        code(outputs=[nbformat.v4.new_output("stream", text="x")]),
        nbformat.v4.new_code_cell("2", id="counted", execution_count=3),
        nbformat.v4.new_code_cell("3", id="clean"),
    ]
    nbformat.write(nbformat.v4.new_notebook(cells=cells), tmp_path / "one.ipynb")
    assert [(leak.file, leak.where) for leak in find_outputs(tmp_path)] == [
        ("one.ipynb", "cell"),
        ("one.ipynb", "counted"),
    ]
