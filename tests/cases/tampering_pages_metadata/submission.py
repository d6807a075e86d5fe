"""Writes the submitted folder of this case."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from cases_support import own_cell, solve, write

ATTACK = '"><img src=x onerror=fetch(1)>'


def make(released: dict[str, Any], folder: Path) -> None:
    notebook = solve(released)
    notebook["metadata"] = {
        "title": ATTACK,
        "kernelspec": {"name": ATTACK, "display_name": ATTACK, "language": ATTACK},
        "language_info": {"name": ATTACK, "pygments_lexer": ATTACK},
        "widgets": {"application/vnd.jupyter.widget-state+json": {"state": {ATTACK: ATTACK}}},
    }
    picture = {"output_type": "display_data", "data": {"image/png": ATTACK}, "metadata": {"width": ATTACK}}
    for cell in notebook["cells"]:
        cell["metadata"] |= {"tags": [ATTACK], "alt": ATTACK, "slideshow": {"slide_type": ATTACK}, "name": ATTACK}
        if cell["cell_type"] == "code":
            cell["outputs"], cell["execution_count"] = [picture], ATTACK
        else:
            cell["attachments"] = {ATTACK: {"image/png": ATTACK}, "pasted.png": {"image/svg+xml": ATTACK}}
    notebook["cells"].insert(3, own_cell("1 + 1", tags=[ATTACK], raw_mimetype=ATTACK) | {"id": ATTACK})
    write(folder, notebook)
