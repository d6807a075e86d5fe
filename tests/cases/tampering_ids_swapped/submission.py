"""Writes the submitted folder of this case."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from cases_support import cell_of, solve, write


def make(released: dict[str, Any], folder: Path) -> None:
    notebook = solve(released)
    first, last = cell_of(notebook, "test_total"), cell_of(notebook, "test_largest")
    first["metadata"], last["metadata"] = last["metadata"], first["metadata"]
    first["id"], last["id"] = last["id"], first["id"]
    first, last = cell_of(notebook, "total"), cell_of(notebook, "largest")
    first["metadata"], last["metadata"] = last["metadata"], first["metadata"]
    write(folder, notebook)
