"""The connection map of module 14: what it says of other modules is what their files and headers say."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

import tinytorch_ref
import tito
from tito.course.course import load_course
from tito.course.script import read_script

NUMBER = "14"
PACKAGE = Path(tinytorch_ref.__file__).parent
COURSE = load_course(Path(tito.__file__).resolve().parents[1])
MODULES = [read_script(module.script).info for module in COURSE.assignments if module.script is not None]
TEXT = (COURSE.root / "source" / "14_profiling.py").read_text("utf-8")
(MAP,) = re.findall(r"\*\*Connection map\*\*\n#\n# ```\n(.*?)# ```", TEXT, re.DOTALL)
NAMED = re.findall(r"(\d\d) ([A-Z]\w+)", MAP)


def classes_of(number: str) -> set[str]:
    """The classes that a module gives to the package."""
    files = (path.read_text("utf-8") for path in PACKAGE.rglob("*.py"))
    trees = (ast.parse(text) for text in files if text.startswith(f"# module: {number}_"))
    return {node.name for tree in trees for node in tree.body if isinstance(node, ast.ClassDef)}


def test_the_map_names_what_is_profiled_and_this_module() -> None:
    numbers = [number for number, _ in NAMED]
    assert numbers == sorted(numbers)
    assert numbers[-1] == NUMBER
    assert len(numbers) > 3


@pytest.mark.parametrize(("number", "name"), NAMED)
def test_what_the_map_names_is_of_that_module(number: str, name: str) -> None:
    assert name in classes_of(number)


def test_whoever_needs_this_module_by_its_header_stands_in_the_map() -> None:
    (title,) = (module.title for module in MODULES if module.number == int(NUMBER))
    needing = {str(module.number) for module in MODULES if title in module.prerequisites}
    below = {number for number in re.findall(r"\d\d", MAP) if number > NUMBER}
    assert {"15", "16"} <= needing <= below
