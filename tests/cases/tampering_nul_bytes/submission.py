"""Writes the submitted folder of this case."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from cases_support import cell_of, own_cell, solve, write


def make(released: dict[str, Any], folder: Path) -> None:
    notebook = solve(released)
    cell_of(notebook, "total")["source"] += "\n# \x00\x00 a comment\x00"
    cell_of(notebook, "running")["source"] = "\x00" + cell_of(notebook, "running")["source"] + "\n\x0c\n"
    notebook["cells"].append(own_cell("print('\x1b[2J\x07\x00 \u202e reversed')"))
    write(folder, notebook)
