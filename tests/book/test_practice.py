"""What the book offers to be practised: what students get anyway, and nothing of what they are to find out."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from itertools import product
from pathlib import Path

import nbformat
import pytest
from served_book import BOOK

from tito.author.source_gates import leak_gates
from tito.course.course import Assignment, load_course
from tito.course.script import source_notebooks
from tito.docs.practice import MARK, SITE
from tito.models import Gate

COURSE = load_course(BOOK.parent)
AS_IN_A_BROWSER = Path(__file__).with_name("as_in_a_browser.py")
MODULES = [assignment for assignment in COURSE.assignments if assignment.script is not None]


@pytest.fixture(scope="session")
def offered(html: Path) -> Path:
    return html / SITE / "files"


def secrets_in(folder: Path, assignment: Assignment, of: Assignment) -> list[Gate]:
    """What the folder of `assignment` shows of a module's solutions, hidden tests and mark schemes. What either of the
    two gives may stand in hidden tests, as what a module itself gives may in its own."""
    source = source_notebooks(COURSE, assignment) | source_notebooks(COURSE, of)
    return [gate for gate in leak_gates(COURSE, of, source, folder) if not gate.ok]


@pytest.mark.parametrize("assignment", MODULES, ids=lambda each: each.id)
def test_nothing_secret_of_a_module_is_in_its_files_or_in_those_of_modules_below(
    assignment: Assignment, offered: Path
) -> None:
    for below in MODULES[: MODULES.index(assignment) + 1]:
        assert secrets_in(offered / below.id, below, assignment) == [], below.id


@pytest.mark.parametrize("assignment", MODULES, ids=lambda each: each.id)
def test_a_secret_in_these_files_would_be_seen(assignment: Assignment, offered: Path, tmp_path: Path) -> None:
    """In those of the module, and in those of the first one."""
    (source,) = source_notebooks(COURSE, assignment).values()
    solution = next(cell for cell in source.cells if "### BEGIN SOLUTION" in cell.source)
    hidden = next(cell for cell in source.cells if "### BEGIN HIDDEN TESTS" in cell.source)
    for number, (secret, module) in enumerate(product((solution, hidden), (assignment, MODULES[0]))):
        folder = shutil.copytree(offered / module.id, tmp_path / str(number))
        (path,) = folder.glob("*.ipynb")
        notebook = nbformat.read(path, as_version=4)
        notebook.cells.append(nbformat.v4.new_code_cell(secret.source))
        nbformat.write(notebook, path)
        assert secrets_in(folder, module, assignment) != []


def test_each_module_is_offered_and_marked_as_practice(offered: Path) -> None:
    assert {folder.name for folder in offered.iterdir()} == {assignment.id for assignment in MODULES}
    for assignment in MODULES:
        (path,) = (offered / assignment.id).glob("*.ipynb")
        notebook = nbformat.read(path, as_version=4)
        assert notebook.cells[0].source == MARK
        assert (offered / assignment.id / COURSE.package / "__init__.py").is_file()


@pytest.mark.parametrize("assignment", MODULES, ids=lambda each: each.id)
def test_no_cell_of_a_solved_notebook_raises_by_a_browsers_clock(assignment: Assignment, offered: Path) -> None:
    (source,) = source_notebooks(COURSE, assignment).values()
    cells = [cell.source for cell in source.cells if cell.cell_type == "code"]
    done = subprocess.run(
        [sys.executable, "-B", AS_IN_A_BROWSER],
        input=json.dumps(cells), text=True, capture_output=True, cwd=offered / assignment.id,
        env=os.environ | {"MPLBACKEND": "Agg", "OPENBLAS_NUM_THREADS": "1"}, timeout=300, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]


def test_what_a_cell_raises_there_is_told(tmp_path: Path) -> None:
    """As one does that divides by what a short run took."""
    cells = ["import time", "start = time.perf_counter()\n1 / (time.perf_counter() - start)"] * 20
    command = [sys.executable, "-B", AS_IN_A_BROWSER]
    done = subprocess.run(command, input=json.dumps(cells), text=True, capture_output=True, cwd=tmp_path, check=False)
    assert "ZeroDivisionError" in done.stderr


def test_the_site_has_one_extension_and_no_place_to_run_code_from_a_link(html: Path) -> None:
    """A console's address may hold code that is run when it is opened; so there is none."""
    settings = json.loads((html / SITE / "jupyter-lite.json").read_text())["jupyter-config-data"]
    assert [each["name"] for each in settings["federated_extensions"]] == ["@jupyterlite/pyodide-kernel-extension"]
    assert not (html / SITE / "repl").exists()
