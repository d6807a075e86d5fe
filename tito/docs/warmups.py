"""The warm-ups of a module's script as cells of its chapter: a reader sees what students run, and the build runs it.

All that stands between the script's title and the first cell that students write; imports are of the reference package
in the place of the students' own.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tito.author.export import DIRECTIVE
from tito.course.cells import kind_of, ungraded_tags
from tito.course.course import Course
from tito.course.script import read_script
from tito.errors import BadSource
from tito.models import CellKind

MARK = re.compile(r"^% warm-ups$", re.MULTILINE)
HIDDEN = "hide-input"


def with_warmups(page: str, script: Path, course: Course) -> str:
    """A chapter with the warm-ups of its module where it has the line `% warm-ups`.

    Raises:
        BadSource: the script has none.
    """
    if not MARK.search(page):
        return page
    cells = list(_opening(read_script(script).notebook.cells[1:]))
    if not any(ungraded_tags(cell) for cell in cells):
        raise BadSource(f"{script}: no warm-up stands ahead of what students write.", hint="Take '% warm-ups' out.")
    text = "\n\n".join(_as_myst(cell, course) for cell in cells)
    return MARK.sub(lambda _: text, page, count=1)


def _opening(cells: list[Any]) -> Iterator[Any]:
    """Cells up to the last warm-up ahead of what students write."""
    kinds = [kind_of(cell) for cell in cells]
    own = next((at for at, kind in enumerate(kinds) if kind not in (CellKind.PLAIN, CellKind.LOCKED)), len(cells))
    last = max((at for at, cell in enumerate(cells[:own]) if ungraded_tags(cell)), default=-1)
    yield from cells[: last + 1]


def _as_myst(cell: Any, course: Course) -> str:
    if cell.cell_type != "code":
        return str(cell.source)
    source = cell.source.removeprefix(DIRECTIVE).lstrip("\n")
    if course.reference is not None:
        source = re.sub(rf"\b(from|import) {course.package}\b", rf"\1 {course.reference.name}", source)
    folded = kind_of(cell) is CellKind.LOCKED or cell.metadata.get("jupyter", {}).get("source_hidden", False)
    tags = f":tags: [{HIDDEN}]\n" if folded else ""
    return f"```{{code-cell}}\n{tags}\n{source}\n```"
