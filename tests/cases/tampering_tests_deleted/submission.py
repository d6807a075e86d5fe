"""Writes the submitted folder of this case."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from cases_support import write


def make(released: dict[str, Any], folder: Path) -> None:
    released["cells"] = [one for one in released["cells"] if not one["metadata"].get("nbgrader", {}).get("locked")]
    write(folder, released)
