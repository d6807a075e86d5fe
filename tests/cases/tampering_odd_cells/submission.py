"""Writes the submitted folder of this case."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from cases_support import solve, write


def make(released: dict[str, Any], folder: Path) -> None:
    notebook = solve(released)
    notebook["metadata"] = ["none"]
    odd: list[Any] = [None, 7, "cell", [], {}, {"cell_type": "code"}, {"cell_type": 3, "source": {"a": 1}, "metadata": 5}]
    odd += [{"cell_type": "code", "source": [1, None, "x = 1"], "metadata": {"nbgrader": [1]}, "outputs": "none"}]
    odd += [{"cell_type": "widget", "source": None, "metadata": None, "id": {"a": "b"}}]
    notebook["cells"][3:3] = odd
    write(folder, notebook)
