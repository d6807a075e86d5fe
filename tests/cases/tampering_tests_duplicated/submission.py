"""Writes the submitted folder of this case."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

from cases_support import write
from tito.course.cells import grade_id_of


def make(released: dict[str, Any], folder: Path) -> None:
    for cell in [one for one in released["cells"] if grade_id_of(one).startswith("test_")]:
        at = released["cells"].index(cell)
        released["cells"].insert(at, copy.deepcopy(cell) | {"id": "a-copy", "source": "print('fine')"})
        released["cells"].append(copy.deepcopy(cell) | {"source": "pass"})
    write(folder, released)
