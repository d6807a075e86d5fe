"""Writes the submitted folder of this case."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from cases_support import own_cell, solve, write


def make(released: dict[str, Any], folder: Path) -> None:
    notebook = solve(released)
    answer = {"cell_type": "markdown", "id": "answer", "metadata": {}, "source": "Because rounding depends on it. $a+b$"}
    notebook["cells"] += [answer, own_cell(""), own_cell("   \n\n"), own_cell("# nothing")]
    write(folder, notebook)
