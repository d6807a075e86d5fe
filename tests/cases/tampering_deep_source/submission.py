"""Writes the submitted folder of this case."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from cases_support import own_cell, solve, write


def make(released: dict[str, Any], folder: Path) -> None:
    notebook = solve(released)
    deep = ["-" * 20_000 + "1", "[" * 5_000, "x" + "()" * 5_000, "lambda: " * 2_000 + "1", "not " * 3_000 + "1"]
    deep += ["x = " + "1 if y else " * 2_500 + "2", "if x: pass\n" + "elif x: pass\n" * 3_000, "2" + " ** 2" * 3_000]
    for source in deep:
        notebook["cells"].append(own_cell(source))
    write(folder, notebook)
