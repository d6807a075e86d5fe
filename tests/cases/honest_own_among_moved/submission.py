"""Writes the submitted folder of this case."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from cases_support import cell_of, own_cell, solve, write


def make(released: dict[str, Any], folder: Path) -> None:
    notebook = solve(released)
    cells = notebook["cells"]
    moved = [cell_of(notebook, name) for name in ("largest", "test_largest")]
    for cell in moved:
        cells.remove(cell)
    helper = own_cell("def add(a, b):\n    return a + float(b)")
    cells[2:2] = [*moved, helper]
    source = "def total(values):\n    added = 0.0\n    for value in values:\n        added = add(added, value)\n    return added"
    cell_of(notebook, "total")["source"] = source
    write(folder, notebook)
