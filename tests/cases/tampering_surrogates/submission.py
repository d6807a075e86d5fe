"""Writes the submitted folder of this case."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from cases_support import own_cell, solve, write


def make(released: dict[str, Any], folder: Path) -> None:
    notebook = solve(released)
    notebook["cells"].insert(1, {"cell_type": "markdown", "id": "half", "metadata": {}, "source": "half \ud800"})
    notebook["cells"].append(own_cell("# half \udfff\n7"))
    notebook["cells"].append(own_cell("print(chr(0xD800), 'printed')\nchr(0xDC00)"))
    write(folder, notebook)
