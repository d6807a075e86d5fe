"""Writes the submitted folder of this case."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from cases_support import own_cell, solve, write


def make(released: dict[str, Any], folder: Path) -> None:
    notebook = solve(released)
    table = ", ".join(str(n % 10) for n in range(130_000))
    notebook["cells"].insert(2, own_cell(f"DATA = [{table}]\nprint('numbers', len(DATA))"))
    write(folder, notebook)
