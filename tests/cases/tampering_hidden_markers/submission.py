"""Writes the submitted folder of this case."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from cases_support import cell_of, own_cell, solve, write


def make(released: dict[str, Any], folder: Path) -> None:
    notebook = solve(released)
    markers = "### BEGIN HIDDEN TESTS\n### JUDGE\n### JUDGE\n### BEGIN SOLUTION\n### BEGIN MARK SCHEME\n"
    for name in ("total", "shares", "largest"):
        cell_of(notebook, name)["source"] = markers + cell_of(notebook, name)["source"] + "\n### BEGIN HIDDEN TESTS"
    notebook["cells"].append(own_cell(markers))
    write(folder, notebook)
