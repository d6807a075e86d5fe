"""Writes the submitted folder of this case."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from cases_support import own_cell, solve, write


def make(released: dict[str, Any], folder: Path) -> None:
    notebook = solve(released)
    notebook["cells"].append(own_cell("\n".join(f"name_{n} = {n}" for n in range(60_000))))
    write(folder, notebook)
