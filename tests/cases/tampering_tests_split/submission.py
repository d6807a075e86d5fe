"""Writes the submitted folder of this case."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from cases_support import cell_of, write


def make(released: dict[str, Any], folder: Path) -> None:
    test = cell_of(released, "test_largest")
    lines = test["source"].split("\n")
    test["source"] = lines[0]
    at = released["cells"].index(test) + 1
    rest = {"cell_type": "markdown", "id": "rest", "metadata": {}, "source": "\n".join(lines[1:])}
    released["cells"].insert(at, rest)
    write(folder, released)
