"""Writes the submitted folder of this case."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from cases_support import solve, write


def make(released: dict[str, Any], folder: Path) -> None:
    cells = {str(number): cell for number, cell in enumerate(solve(released)["cells"])}
    write(folder, released | {"cells": cells})
