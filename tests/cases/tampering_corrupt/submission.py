"""Writes the submitted folder of this case."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from cases_support import NOTEBOOK, solve, write


def make(released: dict[str, Any], folder: Path) -> None:
    text = json.dumps(solve(released))
    (folder / NOTEBOOK).write_text(text[: len(text) // 2])
