"""Writes the submitted folder of this case."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from cases_support import cell_of, own_cell, solve, write


def make(released: dict[str, Any], folder: Path) -> None:
    notebook = solve(released)
    at = notebook["cells"].index(cell_of(notebook, "total"))
    notebook["cells"].insert(at, own_cell("by_hand = " + " + ".join(str(one) for one in range(2000))))
    write(folder, notebook)
