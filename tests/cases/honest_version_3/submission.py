"""Writes the submitted folder of this case."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import nbformat

from cases_support import NOTEBOOK, solve


def make(released: dict[str, Any], folder: Path) -> None:
    old = nbformat.convert(nbformat.from_dict(solve(released)), 3)
    (folder / NOTEBOOK).write_text(nbformat.v3.writes_json(old), encoding="utf-8")
