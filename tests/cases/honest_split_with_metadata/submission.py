"""Writes the submitted folder of this case."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

from cases_support import cell_of, solve, write


def make(released: dict[str, Any], folder: Path) -> None:
    notebook = solve(released)
    cell = cell_of(notebook, "total")
    cell["source"] = "START = 0.0"
    second = copy.deepcopy(cell) | {"id": "another-id", "source": "def total(values):\n    return float(sum(values, START))"}
    notebook["cells"].insert(notebook["cells"].index(cell) + 1, second)
    write(folder, notebook)
