"""Writes the submitted folder of this case."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from cases_support import own_cell, write

AGREE = "print('shadow module')\ndef __getattr__(name):\n    return lambda *a, **k: True\n"


def make(released: dict[str, Any], folder: Path) -> None:
    for name in ("numpy.py", "json.py", "sitecustomize.py", "usercustomize.py", "IPython.py", "conftest.py"):
        (folder / name).write_text(AGREE)
    (folder / "mini").mkdir()
    (folder / "mini" / "__init__.py").write_text(AGREE)
    (folder / "mini" / "base.py").write_text(AGREE)
    (folder / "tito").mkdir()
    (folder / "tito" / "__init__.py").write_text(AGREE)
    released["cells"].insert(0, own_cell("import os\nprint(sorted(os.listdir()))\nimport json, numpy, mini"))
    write(folder, released)
