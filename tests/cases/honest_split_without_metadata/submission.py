"""Writes the submitted folder of this case."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from cases_support import cell_of, own_cell, solve, write


def make(released: dict[str, Any], folder: Path) -> None:
    notebook = solve(released)
    cell = cell_of(notebook, "running")
    cell["source"] = "import itertools"
    second = own_cell("def running(values):\n    return [float(one) for one in itertools.accumulate(values)]")
    notebook["cells"].insert(notebook["cells"].index(cell) + 1, second)
    write(folder, notebook)
