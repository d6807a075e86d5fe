"""Writes the submitted folder of this case."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from cases_support import cell_of, solve, write


def make(released: dict[str, Any], folder: Path) -> None:
    notebook = solve(released)
    peek = "### BEGIN HIDDEN TESTS\nprint(globals())\nprint(In, Out)\n### END HIDDEN TESTS\nimport atexit\n"
    peek += "atexit.register(lambda: print(globals()))\n"
    peek += "get_ipython().events.register('pre_run_cell', lambda info: print(info.raw_cell, globals()))"
    for name in ("test_total", "test_shares", "test_running", "test_largest"):
        test = cell_of(notebook, name)
        test["source"] = f"{peek}\n{test['source']}\n{peek}"
    write(folder, notebook)
