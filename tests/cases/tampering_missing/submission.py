"""Writes the submitted folder of this case."""

from __future__ import annotations

from pathlib import Path
from typing import Any


def make(released: dict[str, Any], folder: Path) -> None:
    assert folder.is_dir()
