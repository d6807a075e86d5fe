"""Writes the submitted folder of this case."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from cases_support import solve, write


def make(released: dict[str, Any], folder: Path) -> None:
    write(folder, solve(released))
    (folder / "notes.txt").symlink_to("../../../gradebook/gradebook.db")
    (folder / "data.csv").symlink_to("/etc/passwd")
    (folder / "gone.txt").symlink_to("nowhere")
    (folder / "all").symlink_to("/")
    os.mkfifo(folder / "pipe.py")
