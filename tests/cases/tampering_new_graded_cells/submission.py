"""Writes the submitted folder of this case."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from cases_support import own_cell, solve, write


def make(released: dict[str, Any], folder: Path) -> None:
    notebook = solve(released)
    facts = {"grade": True, "grade_id": "bonus", "locked": True, "points": 50, "schema_version": 3, "solution": False}
    notebook["cells"].append(own_cell("assert True", nbgrader=facts | {"task": False}))
    notebook["cells"].append(own_cell("pass", nbgrader=facts | {"grade_id": "x" * 1_000_000}))
    notebook["cells"].append(own_cell("pass", nbgrader=facts | {"grade_id": ["test_total"]}))
    notebook["cells"].append(own_cell("pass", nbgrader="test_total", tags="warmup"))
    write(folder, notebook)
