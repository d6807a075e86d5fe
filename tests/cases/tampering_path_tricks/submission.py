"""Writes the submitted folder of this case."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from cases_support import solve, write


def make(released: dict[str, Any], folder: Path) -> None:
    write(folder, solve(released))
    for name in ("-rf", "--help", "..  ", "a\nb.ipynb", "'; touch forged; '", "$(touch forged)", "\\..\\..\\x", "%00"):
        (folder / name).write_text("forged")
    (folder / "up").symlink_to("../../../..")
    (folder / "loop").symlink_to("loop")
    (folder / "etc.ipynb").symlink_to("/etc/passwd")
