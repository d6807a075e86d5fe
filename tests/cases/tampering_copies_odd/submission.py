"""Writes the submitted folder of this case."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from cases_support import write


def make(released: dict[str, Any], folder: Path) -> None:
    write(folder, released)
    (folder / "sums-Copy1.ipynb").symlink_to(folder / "sums.ipynb")
    os.mkfifo(folder / "sums-Copy2.ipynb")
    (folder / "sums-Copy3.ipynb").write_text("no notebook")
    (folder / "sums-Copy4.ipynb").mkdir()
