"""Writes the submitted folder of this case."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from cases_support import own_cell, solve, write


def make(released: dict[str, Any], folder: Path) -> None:
    notebook = solve(released)
    text = "Ein Satz, noch ein Satz, и ещё одно, 還有一句。 " * 6_000
    notebook["cells"].insert(2, own_cell(f"TEXT = {text!r}\nprint('letters', len(TEXT))"))
    notebook["cells"].append({"cell_type": "markdown", "source": text, "metadata": {}})
    write(folder, notebook)
