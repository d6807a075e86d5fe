"""Writes the submitted folder of this case."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from cases_support import cell_of, write


def make(released: dict[str, Any], folder: Path) -> None:
    for name in ("test_total", "test_shares", "test_running", "test_largest"):
        cell_of(released, name)["source"] = "assert True"
    cell_of(released, "setup")["source"] += "\ntotal = shares = running = largest = lambda values: 7.0"
    write(folder, released)
