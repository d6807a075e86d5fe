"""The project's own tools: which names are fillers, and what is too long."""

from __future__ import annotations

import ast
import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest

pytestmark = pytest.mark.unit
SCRIPTS = Path(__file__).resolve().parents[2] / "scripts"


def script(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, SCRIPTS / f"{name}.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # its dataclasses look for it there
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def names() -> ModuleType:
    return script("names")


def test_every_way_to_bind_a_name_is_counted(names: ModuleType) -> None:
    source = """
import one
def made(found, *told, said=1, **kept):
    given: int = 2
    for one in range(3):
        with open(one) as made, open(one) as (a, b):
            c = [found for found in made]
    try:
        d.one = (e := 3)
    except OSError as told:
        match e:
            case [said, *kept]: pass
"""
    bound = sorted(place.name for place in names.bound_names(ast.parse(source)))
    fillers = ["found", "found", "given", "kept", "kept", "made", "one", "said", "said", "told", "told"]
    assert bound == sorted([*fillers, "a", "b", "c", "e"])


def test_a_function_is_too_long_from_one_line_over_the_limit(names: ModuleType) -> None:
    def function(lines: int) -> ast.Module:
        return ast.parse("@decorated\nasync def long():\n" + "    pass\n" * (lines - 1))

    assert not list(names.long_functions(function(names.LONGEST)))
    [place] = names.long_functions(function(names.LONGEST + 1), "tito/a.py")
    assert str(place) == "tito/a.py:2: long has 61 lines"
    assert not list(names.long_functions(function(names.LONGEST + 1), names.MIGRATIONS + "a.py"))


def test_the_corpus_is_not_looked_at_and_all_else_is(names: ModuleType) -> None:
    if not (names.ROOT / ".git").exists():
        pytest.skip("git lists the project's files, and this is no checkout")
    paths = names.python_files(names.ROOT)
    assert {"scripts/names.py", "source/16_quantization.py", "tests/cases_support.py", "tito/models.py"} <= set(paths)
    assert not [path for path in paths if path.startswith(("tests/cases/", ".venv/"))]
