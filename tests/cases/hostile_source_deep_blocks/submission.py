"""Writes the submitted folder of this case."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from cases_support import own_cell, solve, write


def make(released: dict[str, Any], folder: Path) -> None:
    notebook = solve(released)
    deep = "".join(" " * depth + f"if a{depth}:\n" for depth in range(95)) + " " * 95 + "x = " + "[" * 90 + "]" * 90
    notebook["cells"].append(own_cell("\n".join([deep] * 40)))
    notebook["cells"].append(own_cell("if x: y = 1\n" + "elif x: y = 1\n" * 900))
    write(folder, notebook)
