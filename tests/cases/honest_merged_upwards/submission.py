"""Writes the submitted folder of this case."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from cases_support import cell_of, solve, write


def make(released: dict[str, Any], folder: Path) -> None:
    notebook = solve(released)
    cells, total, shares = notebook["cells"], cell_of(notebook, "total"), cell_of(notebook, "shares")
    shares["source"] = f"{total['source']}\n\n{shares['source']}"
    cells.remove(shares)
    cells[cells.index(total)] = shares
    write(folder, notebook)
