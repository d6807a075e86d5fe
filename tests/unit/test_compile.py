"""Cells compiled ahead: which are, which IPython has to see as they are written, what holds from one to the next."""

from __future__ import annotations

import marshal
from typing import Any

import pytest

from tito.course.python_source import Source
from tito.models import CompiledCell
from tito.plan import compile as compiling
from tito.plan.compile import compiled_section


def compiled_cells(sources: list[str]) -> list[CompiledCell | None]:
    return list(compiling.compiled_cells(map(Source, sources)))


def ran(source: str) -> tuple[dict[str, Any], list[Any]]:
    """What a compiled cell sets, and what it displays."""
    (cell,) = compiled_cells([source])
    assert cell is not None
    names: dict[str, Any] = {}
    shown: list[Any] = []
    exec(marshal.loads(cell.statements), names)
    if cell.last:
        code = marshal.loads(cell.last)
        with pytest.MonkeyPatch.context() as patched:
            patched.setattr("sys.displayhook", shown.append)
            exec(code, names)
    return names, shown


def test_statements_are_run_and_the_value_of_a_last_expression_is_displayed() -> None:
    names, shown = ran("a = 2\nb = a + 1\na * b")
    assert (names["b"], shown) == (3, [6])


def test_a_cell_that_ends_in_a_statement_displays_nothing() -> None:
    assert ran("1 + 1\nif True:\n    2 + 2")[1] == []


def test_nothing_of_the_grader_holds_in_a_cell() -> None:
    (cell,) = compiled_cells(["def f(x: int):\n    return x\n"])
    assert cell is not None and cell.sets == 0, "this module's own __future__ imports are not inherited"


@pytest.mark.parametrize(
    "source",
    [
        "x = 1", "%matplotlib inline\nx = 1", "!ls\nx = 1", "x?\ny = 1", "def f(:\n    pass", "x = 1\nreturn x",
        "import asyncio\nawait asyncio.sleep(0)", "async def f():\n    pass\n", "x = 1\n\0", "x = '\\d'\ny = 1",
        "x = 1 is 1\ny = 2", "x = 1\nfrom __future__ import annotations", "(" * 300 + "\n" + ")" * 300,
    ],
)  # fmt: skip
def test_what_ipython_has_to_see_or_python_warns_of_is_not_compiled(source: str) -> None:
    assert compiled_cells([source]) == [None]


def test_future_imports_hold_in_the_cells_after_them() -> None:
    sources = ["x = 1\ny = 2", "from __future__ import annotations\nz = 1", "def f(a: missing):\n    pass\n"]
    first, second, third = compiled_cells(sources)
    assert first is not None and second is not None and third is not None
    assert (first.flags, first.sets) == (0, 0)
    assert second.flags == 0 and second.sets == third.flags != 0
    exec(marshal.loads(third.statements), {})  # its annotation is not looked up


def test_after_a_future_import_that_only_ipython_runs_nothing_is_compiled() -> None:
    assert compiled_cells(["%time 1\nfrom __future__ import annotations", "x = 1\ny = 2"]) == [None, None]


def test_a_section_with_a_magic_is_not_compiled() -> None:
    assert compiled_section("%timeit f()") == b""
    names: dict[str, Any] = {}
    exec(marshal.loads(compiled_section("x = 1\nassert x == 1")), names)
    assert names["x"] == 1
