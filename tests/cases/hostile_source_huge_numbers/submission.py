"""Writes the submitted folder of this case."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from cases_support import own_cell, solve, write


def make(released: dict[str, Any], folder: Path) -> None:
    notebook = solve(released)
    notebook["cells"].append(own_cell("x = " + "9" * 1_000_000))
    notebook["cells"].append(own_cell("x = 0x" + "f" * 1_000_000 + "\ny = x"))
    notebook["cells"].append(own_cell("if False:\n    x = 9 ** 9 ** 9 ** 9\n    y = 'a' * 10 ** 12\n    z = 1 << 10 ** 10"))
    write(folder, notebook)
