"""Writes the submitted folder of this case."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from cases_support import cell_of, solve, write


def make(released: dict[str, Any], folder: Path) -> None:
    notebook = solve(released)
    warmup = next(one for one in notebook["cells"] if "warmup" in one["metadata"].get("tags", []))
    warmup["source"] += "\n\nzero = 0.0\n\ndef add(a, b):\n    return a + float(b)"
    cell_of(notebook, "total")["source"] = (
        "%%time\nfrom functools import reduce\nadder, start = add, zero\n\n"
        "def total(values):\n    return reduce(adder, values, start)"
    )
    cell_of(notebook, "running")["source"] += "\n%time print(add(zero, 1))"
    write(folder, notebook)
