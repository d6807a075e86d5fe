"""Writes the submitted folder of this case."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from cases_support import solve, write


def make(released: dict[str, Any], folder: Path) -> None:
    notebook = solve(released) | {"nbformat_minor": 0}
    for cell in notebook["cells"]:
        del cell["id"]
        cell["source"] = cell["source"].splitlines(keepends=True)
    write(folder, notebook)
