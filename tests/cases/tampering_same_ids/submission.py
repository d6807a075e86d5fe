"""Writes the submitted folder of this case."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from cases_support import solve, write


def make(released: dict[str, Any], folder: Path) -> None:
    notebook = solve(released)
    for number, cell in enumerate(notebook["cells"]):
        cell["id"] = ["same", "same", "", 7, None, "setup"][number % 6]
    write(folder, notebook)
