"""Writes the submitted folder of this case."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from cases_support import cell_of, solve, write


def make(released: dict[str, Any], folder: Path) -> None:
    notebook = solve(released)
    test = cell_of(notebook, "test_total")
    test["source"] += "\nprint('mine:', small)\n\ndef portion(part, whole):\n    return part / whole"
    source = "def shares(values):\n    as_array = as_floats(values)\n    return portion(as_array, total(as_array))"
    cell_of(notebook, "shares")["source"] = source
    write(folder, notebook)
