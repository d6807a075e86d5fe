"""Writes the submitted folder of this case."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from cases_support import cell_of, solve, write


def make(released: dict[str, Any], folder: Path) -> None:
    notebook = solve(released)
    cell_of(notebook, "test_total")["source"] = cell_of(notebook, "shares")["source"]
    notebook["cells"].remove(cell_of(notebook, "shares"))
    write(folder, notebook)
