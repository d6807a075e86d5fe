"""Writes the submitted folder of this case."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from cases_support import cell_of, solve, write

PICTURE = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="


def make(released: dict[str, Any], folder: Path) -> None:
    notebook = solve(released)
    mine: dict[str, Any] = {"cell_type": "markdown", "metadata": {}, "source": "![a](attachment:a.png) ![b](attachment:b.svg)"}
    mine["attachments"] = {
        "a.png": {"image/png": [PICTURE[:20], PICTURE[20:]]},
        "b.svg": {"image/svg+xml": "<svg onload='alert(1)'/>"},
        "c.png": {"image/png": "PHN2ZyBvbmxvYWQ9J2FsZXJ0KDEpJy8+"},
        "../d.png": {"image/png": PICTURE},
        "e.png": "no bundle",
    }
    notebook["cells"].append(mine)
    write(folder, notebook)
