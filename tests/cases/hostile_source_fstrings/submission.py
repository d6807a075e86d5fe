"""Writes the submitted folder of this case."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from cases_support import own_cell, solve, write


def make(released: dict[str, Any], folder: Path) -> None:
    notebook = solve(released)
    inner = "{a}" * 1_300
    for quote in ("'", '"', "'''", '"""'):
        inner = "{f" + quote + inner + quote + "}" + inner if quote != '"""' else inner
    source = "a = 1\nx = f\"\"\"" + inner * 3 + "\"\"\""
    notebook["cells"].append(own_cell(source))
    write(folder, notebook)
