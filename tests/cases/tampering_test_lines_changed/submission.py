"""Writes the submitted folder of this case."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from cases_support import cell_of, solve, write


def make(released: dict[str, Any], folder: Path) -> None:
    notebook = solve(released)
    cell_of(notebook, "total")["source"] = "def total(values):\n    return 0.0"
    test = cell_of(notebook, "test_total")
    test["source"] = test["source"].replace("small = total([1.0, 2.0, 4.0])", "small = 7.0; print('CHANGED')")
    write(folder, notebook)
