"""Writes the submitted folder of this case."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

from cases_support import cell_of, solve, write


def make(released: dict[str, Any], folder: Path) -> None:
    notebook = solve(released)
    cell = cell_of(notebook, "shares")
    first = copy.deepcopy(cell) | {"id": "first-try", "source": "def shares(values):\n    return values"}
    notebook["cells"].insert(notebook["cells"].index(cell), first)
    write(folder, notebook)
