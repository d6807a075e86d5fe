"""Writes the submitted folder of this case."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from cases_support import cell_of, solve, write

PICTURE = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="


def make(released: dict[str, Any], folder: Path) -> None:
    notebook = solve(released)
    task = cell_of(notebook, "task_why")
    task["source"] += "\n\nBecause each sum is rounded.\n\n![image.png](attachment:image.png)"
    task["attachments"] = {"image.png": {"image/png": PICTURE}}
    write(folder, notebook)
