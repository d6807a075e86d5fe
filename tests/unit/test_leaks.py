"""The search of a built release for solutions, hidden tests, mark schemes and outputs."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nbformat
import pytest
from tiny import MARK_SCHEME, meta, script

from tito.course.cells import read_cells
from tito.course.course import Course
from tito.course.script import read_script
from tito.plan.leaks import PIECE, Leak, Search, find_leaks, find_outputs
from tito.plan.secret_texts import public_of, secrets_of, without_regions

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


# ---- what is no leak, and what is one all the same -------------------------------------------------


FIGURE = "plt.figure(figsize=(8, 6))"
PLOTS = f"""import matplotlib.pyplot as plt
{FIGURE}
plt.plot(times, temperatures, "o-", label="measured")
plt.xlabel("time in seconds")
plt.ylabel("temperature in degrees")
plt.legend(loc="upper right")"""
FIT = """# the normal equation
import numpy as np
columns = np.vstack([times, np.ones(len(times))]).T
inverse_of_product = np.linalg.inv(columns.T @ columns)
slope, intercept = inverse_of_product @ columns.T @ temperatures"""


@dataclass
class Sources:
    """Cells of a source notebook, and a release of what students get of them and of more."""

    folder: Path

    def find(self, secret: str, *released: Any, kind: str = "solution", shown: str = "", **files: str) -> Search:
        """What is found of a secret, in a cell of its own, in a release that has these cells."""
        region = {"solution": "SOLUTION", "test": "HIDDEN TESTS"}[kind]
        facts = {"grade": kind == "test", "solution": kind == "solution", "locked": kind == "test", "points": 1}
        source = code(
            f"{shown}### BEGIN {region}\n{secret}\n### END {region}",
            metadata={"nbgrader": facts | {"grade_id": "mine", "schema_version": 3}},
        )
        released_cells = [cell if not isinstance(cell, str) else code(cell) for cell in released]
        for number, cell in enumerate(released_cells):
            cell["id"] = f"cell-{number}"
        nbformat.write(nbformat.v4.new_notebook(cells=released_cells), self.folder / "x.ipynb")
        for name, text in files.items():
            (self.folder / name.replace("_", ".")).write_text(text)
        cells = read_cells([source, *released_cells])
        return Search(self.folder, secrets_of(cells), public_of(cells))


@pytest.fixture
def sources(tmp_path: Path) -> Sources:
    return Sources(tmp_path)


@pytest.mark.parametrize("line", [FIGURE, "import matplotlib.pyplot as plt", 'plt.xlabel("time in seconds")'])
@pytest.mark.parametrize("place", ["{}\nplt.plot([1, 2])", "# {}"])
def test_a_line_that_says_nothing_is_no_leak(line: str, place: str, sources: Sources) -> None:
    text = nbformat.v4.new_markdown_cell(f"Begin with\n```\n{line}\n```", id="t")
    assert sources.find(PLOTS, place.format(line), text, helper_py=line).leaks == []


def test_a_whole_solution_of_such_lines_is_one(sources: Sources) -> None:
    assert [leak.where for leak in sources.find(PLOTS, nbformat.v4.new_markdown_cell(PLOTS, id="t")).leaks] == ["mine"]
    assert [leak.is_repeated for leak in sources.find(PLOTS, PLOTS).leaks] == [False]


def test_a_comment_of_a_solution_may_stand_in_the_text(sources: Sources) -> None:
    solution = f"# Halve the interval until it is shorter than the tolerance.\n{FIT}"
    text = "Halve the interval until it is shorter than the tolerance."
    assert sources.find(solution, nbformat.v4.new_markdown_cell(text, id="t"), f"# {text}").leaks == []


def test_given_code_may_work_with_less_than_half_of_a_solution_and_is_told(sources: Sources) -> None:
    line = FIT.split("\n")[2]
    (leak,) = sources.find(FIT, f"{line}\nprint(columns.shape)").leaks
    assert leak.is_repeated
    assert leak.lines == (line,)
    assert leak.place == "the code of cell number 1"


@pytest.mark.parametrize(
    "released",
    [
        [FIT.split("\n")[2]],  # nothing works with it: it was left behind
        [f"{FIT.split(chr(10))[2]}\nprint(columns)", f"# {FIT.split(chr(10))[3]}"],
        [f"{FIT.split(chr(10))[2]}\nprint(columns)", f"{FIT.split(chr(10))[3]}\nprint(inverse_of_product)"],  # together
        [nbformat.v4.new_markdown_cell(f"Remember: `{FIT.split(chr(10))[2]}`", id="t")],
        [code(outputs=[nbformat.v4.new_output("stream", text=FIT.split("\n")[2])])],
    ],
)
def test_a_line_in_a_text_a_comment_an_output_or_left_behind_is_a_leak(released: list[Any], sources: Sources) -> None:
    assert [leak for leak in sources.find(FIT, *released).leaks if not leak.is_repeated]


def test_a_module_beside_the_notebook_is_searched(sources: Sources) -> None:
    (leak,) = sources.find(FIT, "x = 1", solved_py=FIT).leaks
    assert (leak.file, leak.is_repeated) == ("solved.py", False)


def test_a_hidden_test_may_set_up_what_given_code_does_and_not_assert_it(sources: Sources) -> None:
    setting_up, asserting = "rates = np.array([0.25, 0.5, 0.125])", "assert abs(total(rates) - rates.sum()) < 1e-9"
    test = f"{setting_up}\n{asserting}"
    assert sources.find(test, f"{setting_up}\nprint(rates)", kind="test").leaks == []
    assert sources.find(test, f"{setting_up}\n{asserting}", kind="test").leaks
    assert sources.find(test, f"# {setting_up}", kind="test").leaks


def test_the_answer_of_a_hidden_test_is_found_by_itself_but_not_in_data(sources: Sources) -> None:
    test = "assert total(1000) == 233168"
    text = nbformat.v4.new_markdown_cell("For 1000 it is 233168.", id="t")
    for released in (text, "# 233168", code(metadata={"note": "233168"})):
        assert [leak.where for leak in sources.find(test, released, kind="test").leaks] == ["mine"]
    assert sources.find(test, "x = 1", kind="test", data_csv="year,sum\n1,233168\n").leaks == []
    assert sources.find(test, "assert total(1000) == 233168 - 1 + 1", kind="test").leaks
    round_number = nbformat.v4.new_markdown_cell("1000000 is round", id="t")
    assert sources.find("assert total(1000) == 1000000", round_number, kind="test").leaks == []


def test_a_constant_that_the_solution_has_too_is_no_answer() -> None:
    facts = {"schema_version": 3, "locked": True, "points": 1}
    solution = code("### BEGIN SOLUTION\nreturn n * 8.314462618 * t / v\n### END SOLUTION", metadata={"nbgrader": {
        **facts, "grade": False, "solution": True, "grade_id": "gas"}})  # fmt: skip
    test = code("### BEGIN HIDDEN TESTS\nassert gas(1, 1, 1) == 8.314462618 != 1.234567\n### END HIDDEN TESTS",
                metadata={"nbgrader": {**facts, "grade": True, "solution": False, "grade_id": "mine"}})  # fmt: skip
    (secret,) = [secret for secret in secrets_of(read_cells([solution, test])) if secret.is_test]
    assert [mark.tokens for mark in secret.marks if mark.is_number] == [" 1 . 234567 "]


def test_what_is_permitted_by_its_line_is_no_leak_and_nothing_else_is_permitted(sources: Sources) -> None:
    first, second = FIT.split("\n")[2:4]
    shown = f"### SHOWN `{first}`: it is explained above\n"
    text = nbformat.v4.new_markdown_cell(first, id="t")
    allowed = sources.find(FIT, text, shown=shown)
    assert (allowed.leaks, allowed.unused) == ([], [])
    both = sources.find(FIT, nbformat.v4.new_markdown_cell(f"{first}\n\n{second}", id="t"), shown=shown)
    assert [leak.lines[-1] for leak in both.leaks] == [second]
    assert sources.find(FIT, "x = 1", shown=shown).unused == [("mine", first)]
    assert sources.find(FIT, text, shown="### SHOWN `(`: all\n").leaks


def test_files_that_are_no_json_and_notebooks_of_other_forms_are_searched_too(sources: Sources) -> None:
    line = FIT.split("\n")[2]
    lines = f'{{"a": 1}}\n{{"b": "{line}"}}\n'
    assert [leak.file for leak in sources.find(FIT, "x = 1", data_json=lines).leaks] == ["data.json"]
    old = json.dumps({"nbformat": 3, "worksheets": [{"cells": [{"input": line}]}]})
    assert [leak.file for leak in sources.find(FIT, "x = 1", data_json="1", old_ipynb=old).leaks] == ["old.ipynb"]


def test_large_data_are_searched_in_parts_and_what_lies_across_two_is_found(sources: Sources) -> None:
    line = FIT.split("\n")[2]
    numbers = "0.125,0.25,0.5\n" * (3 * PIECE // 15)
    before = numbers[: PIECE - len(line) // 2]
    began = time.process_time()
    (leak,) = sources.find("\n".join([FIT] * 40), "x = 1", data_csv=f"{before}{line}{numbers[PIECE:]}").leaks
    assert (leak.file, leak.lines[0]) == ("data.csv", line)
    assert time.process_time() - began < 30  # minutes, where each mark is looked for in all of it


def test_a_text_without_its_regions_has_no_lines_of_their_marks_either() -> None:
    task = "Why?\n\n=== BEGIN MARK SCHEME ===\none point\n=== END MARK SCHEME ===\n\nAnswer below."
    assert without_regions(task) == "Why?\n\n\nAnswer below."
    code = "def f():\n    ### BEGIN SOLUTION\n    return 1\n    ### END SOLUTION"
    assert without_regions(code) == "def f():\n"
    assert without_regions("a\n=== END MARK SCHEME ===\nb") == "a\n=== END MARK SCHEME ===\nb"
