"""Writes the submitted folder of this case."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from cases_support import own_cell, solve, write


def make(released: dict[str, Any], folder: Path) -> None:
    notebook = solve(released)
    decorated = "def d(f): return f\n" + "@d\n" * 20_000 + "def total_of_none(): pass"
    based = "class Many(" + "object, " * 20_000 + "): pass"
    notebook["cells"] += [own_cell(decorated), own_cell(based)]
    write(folder, notebook)
