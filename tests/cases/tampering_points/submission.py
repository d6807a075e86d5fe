"""Writes the submitted folder of this case."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from cases_support import cell_of, solve, write


def make(released: dict[str, Any], folder: Path) -> None:
    notebook = solve(released)
    for cell in notebook["cells"]:
        cell["metadata"].setdefault("nbgrader", {})["points"] = 1000
    cell_of(notebook, "test_running")["metadata"]["nbgrader"]["points"] = -5
    write(folder, notebook)
