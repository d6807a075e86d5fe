"""Writes the submitted folder of this case."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from cases_support import solve, write


def make(released: dict[str, Any], folder: Path) -> None:
    write(folder, released)
    write(folder, solve(released), "sums-Copy1.ipynb")
    write(folder, solve(released), "Copy of sums.ipynb")
    write(folder, released, "sums-Copy2.ipynb")
