"""Writes the submitted folder of this case."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from cases_support import own_cell, solve, write


def make(released: dict[str, Any], folder: Path) -> None:
    notebook = solve(released)
    notebook["cells"].append(own_cell("x = [" + "1," * 600_000 + "]"))
    notebook["cells"].append(own_cell("x = " + "a.b[0](1) + " * 50_000 + "1"))
    write(folder, notebook)
