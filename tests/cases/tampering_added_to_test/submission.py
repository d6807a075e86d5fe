"""Writes the submitted folder of this case."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from cases_support import cell_of, solve, write


def make(released: dict[str, Any], folder: Path) -> None:
    notebook = solve(released)
    cell_of(notebook, "total")["source"] = "def total(values):\n    return 0.0"
    test = cell_of(notebook, "test_total")
    right = "def total(values):\n    return float(sum(values))"
    test["source"] = f"{right}\n\n{test['source']}\nsmall = 7.0\n\n{right}"
    write(folder, notebook)
