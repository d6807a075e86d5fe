"""Writes the submitted folder of this case."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from cases_support import solve, write


def make(released: dict[str, Any], folder: Path) -> None:
    notebook = solve(released)
    notebook["cells"] = [one for one in notebook["cells"] if one["cell_type"] == "code"][1:]
    write(folder, notebook)
