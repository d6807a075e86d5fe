"""Reads a notebook that an instructor has written: as many programs have saved it, of whatever age."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import nbformat

from tito.course.nbgrader_metadata import upgrade
from tito.errors import BadSource

HAS_IDS = (4, 5)  # the notebook format from which on cells have ids


def read_source_notebook(path: Path) -> Any:
    """A notebook with nbgrader's metadata brought up to date, and an id for each cell where its format has them.

    Raises:
        BadSource: it is no notebook.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        _name_cells(content)
        notebook = nbformat.reads(json.dumps(content), as_version=4)
    except (OSError, ValueError, KeyError, TypeError, AttributeError, nbformat.ValidationError) as error:
        reason = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise BadSource(
            f"{path} cannot be read as a notebook: {reason}.", hint="Open it in Jupyter, and save it."
        ) from error
    upgrade(notebook)
    return notebook


def _name_cells(content: Any) -> None:
    """Ids where there are none, the same each time: nbformat would make new ones whenever it is read."""
    if (content["nbformat"], content["nbformat_minor"]) < HAS_IDS:
        return
    used: set[str] = set()
    for number, cell in enumerate(content["cells"], 1):
        if not isinstance(cell.get("id"), str) or cell["id"] in used:
            cell["id"] = next(name for name in _names(number) if name not in used)
        used.add(cell["id"])


def _names(number: int) -> Any:
    yield f"cell-{number}"
    yield from (f"cell-{number}-{count}" for count in range(2, 1_000_000))
