"""What a module's notebook says of the modules around it: the table "Connections", and what it needs."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

import tito
from tito.course.course import load_course
from tito.course.script import Script, read_script

COURSE = load_course(Path(tito.__file__).resolve().parents[1])
SCRIPTS = [read_script(assignment.script) for assignment in COURSE.assignments if assignment.script is not None]
MODULE_MARK = re.compile(r"# module: (?P<number>\d\d)_(?P<name>\w+)")
ROW = re.compile(r"^\| (\d\d) (\w+) \|.*\| (\d\d) (\w+) \|.*\|$", re.MULTILINE)
NEEDED = re.compile(r"\*\*What you need\.\*\*.*?(?:\n\n|\Z)", re.DOTALL)


def prose(script: Script) -> str:
    return "\n\n".join(cell.source for cell in script.notebook.cells if cell.cell_type == "markdown")


WITH_TABLE = [script for script in SCRIPTS if "**Connections**" in prose(script)]


@pytest.fixture(params=WITH_TABLE, ids=lambda script: script.info.name)
def script(request: pytest.FixtureRequest) -> Script:
    script: Script = request.param
    return script


def before_and_after(script: Script) -> tuple[dict[int, str], dict[int, str]]:
    """Modules on the left and on the right of the table: titles by number."""
    rows = ROW.findall(prose(script))
    return {int(row[0]): row[1] for row in rows}, {int(row[2]): row[3] for row in rows}


def imported(script: Script) -> dict[int, str]:
    """Modules whose files a notebook imports: names by number."""
    sources = "\n".join(cell.source for cell in script.notebook.cells if cell.cell_type == "code")
    names = [
        node.module
        for node in ast.walk(ast.parse(sources))
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith(f"{COURSE.package}.")
    ]
    assert COURSE.reference is not None
    files = [COURSE.reference.joinpath(*(name or "").split(".")[1:]).with_suffix(".py") for name in names]
    marks = [MODULE_MARK.match(file.read_text(encoding="utf-8")) for file in files]
    of_modules = (mark for mark in marks if mark is not None and int(mark["number"]))  # 00: what all notebooks share
    return {int(mark["number"]): mark["name"] for mark in of_modules}


def test_what_comes_before_is_imported_and_holds_what_the_header_asks_for(script: Script) -> None:
    before, _ = before_and_after(script)
    named = {number: title.lower() for number, title in before.items()}
    assert named
    assert named.items() <= imported(script).items()
    asked_for = {title for title in script.info.prerequisites if title.lower() in imported(script).values()}
    assert asked_for <= set(before.values())


def test_what_comes_after_has_a_higher_number_and_the_title_of_its_own_header(script: Script) -> None:
    _, after = before_and_after(script)
    titles = {other.info.number: other.info.title for other in SCRIPTS}
    assert after
    assert min(after) > script.info.number
    assert {number: title for number, title in after.items() if number in titles}.items() <= titles.items()


def test_what_is_needed_is_what_is_imported(script: Script) -> None:
    match = NEEDED.search(prose(script))
    assert match is not None
    assert {int(number) for number in re.findall(r"\((?:module )?(\d\d)\)", match[0])} == set(imported(script))


def test_some_module_has_such_a_table() -> None:
    assert WITH_TABLE
