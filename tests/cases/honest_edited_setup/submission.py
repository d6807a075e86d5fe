"""Writes the submitted folder of this case."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from cases_support import cell_of, solve, write


def make(released: dict[str, Any], folder: Path) -> None:
    notebook = solve(released)
    setup = cell_of(notebook, "setup")
    setup["source"] = setup["source"].replace("import numpy as np", "import numpy as np, math")
    setup["source"] = setup["source"].replace("import as_floats", "import  as_floats  # as given")
    cell_of(notebook, "total")["source"] = "def total(values):\n    return math.fsum(map(float, values))"
    write(folder, notebook)
