"""Writes the submitted folder of this case."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from cases_support import own_cell, solve, write


def make(released: dict[str, Any], folder: Path) -> None:
    notebook = solve(released)
    names = "".join("{" + f"a{n}" + "}" for n in range(100_000))
    outer = "{f'" + names + "'}"
    notebook["cells"].append(own_cell(f"a = 1\nx = f\"{outer}\""))
    write(folder, notebook)
