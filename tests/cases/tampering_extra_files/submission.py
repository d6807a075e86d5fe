"""Writes the submitted folder of this case."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from cases_support import solve, write


def make(released: dict[str, Any], folder: Path) -> None:
    write(folder, solve(released))
    for name in ("sums-Copy1.ipynb", "SUMS.ipynb", "autograded.ipynb", ".sums.ipynb", "sums.ipynb.bak"):
        write(folder, released, name)
    (folder / "gradebook.db").write_text("points = 100")
    (folder / "a" / "b").mkdir(parents=True)
    write(folder / "a" / "b", released)
