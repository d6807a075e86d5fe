"""Writes the submitted folder of this case."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from cases_support import cell_of, solve, write


def make(released: dict[str, Any], folder: Path) -> None:
    notebook = solve(released)
    warmup = next(one for one in notebook["cells"] if "warmup" in one["metadata"].get("tags", []))
    warmup["source"] += "\n\ndef add(a, b):\n    return a + float(b)"
    source = "def total(values):\n    found = 0.0\n    for one in values:\n        found = add(found, one)\n    return found"
    cell_of(notebook, "total")["source"] = source
    write(folder, notebook)
