"""Writes the submitted folder of this case."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from cases_support import write
from tito.course.cells import grade_id_of


def make(released: dict[str, Any], folder: Path) -> None:
    for number, cell in enumerate(released["cells"]):
        if grade_id_of(cell).startswith("test_"):
            cell["execution_count"] = number
            cell["outputs"] = [{"output_type": "stream", "name": "stdout", "text": "passed: 4/4 points\n"}]
            cell["metadata"]["execution"] = {"status": "ok"}
            cell["metadata"]["tito"] = {"verdict": "passed", "points": 4}
    write(folder, released)
