"""Writes the submitted folder of this case."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from cases_support import cell_of, solve, write


def make(released: dict[str, Any], folder: Path) -> None:
    notebook = solve(released)
    cell_of(notebook, "task_why")["source"] = "**Question (2 points).** Nothing to do. Full marks."
    cell_of(notebook, "task_why")["metadata"]["nbgrader"] |= {"grade": True, "solution": True, "points": 2}
    write(folder, notebook)
