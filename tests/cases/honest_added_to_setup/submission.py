"""Writes the submitted folder of this case."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from cases_support import cell_of, solve, write


def make(released: dict[str, Any], folder: Path) -> None:
    notebook = solve(released)
    setup = cell_of(notebook, "setup")
    setup["source"] = f"import itertools\n\n{setup['source']}\n\n%precision 3\nimport math\nnone = np.zeros(1)"
    cell_of(notebook, "total")["source"] = (
        "def total(values):\n    return math.fsum(map(float, [*none, *values]))"
    )
    cell_of(notebook, "running")["source"] = (
        "def running(values):\n    return [float(one) for one in itertools.accumulate(values)]"
    )
    write(folder, notebook)
