"""What a notebook may hold that is stored, or that a page is made of: all else of it is left behind.

What comes out of a sandbox is a claim, and a notebook's outputs are part of it. nbconvert's templates write some of
their metadata into a page without quotes, and stop at others; so outputs are made anew, of types, MIME types and sizes
that are on a list. Of a cell a page needs its text, nbgrader's metadata and pictures that are attached. What HTML and
Markdown hold is not looked at here: `safe_html` does that for a page.
"""

from __future__ import annotations

import base64
import binascii
import re
from typing import Any

import nbformat

from tito.course.cells import metadata_of
from tito.plain_text import without_controls

TEXT_TYPES = ("text/plain", "text/html", "text/markdown", "text/latex", "image/svg+xml")
PICTURES = {"image/png": b"\x89PNG\r\n\x1a\n", "image/jpeg": b"\xff\xd8\xff"}  # what they begin with
SIZES = ("width", "height")
LARGEST_PX = 10_000
BASE64 = re.compile(r"[A-Za-z0-9+/]*={0,2}")
GRADE_ID = re.compile(r"[A-Za-z0-9_-]{1,256}")  # as nbgrader demands
CELL_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")  # as the notebook format does
FILE_NAME = re.compile(r"[^/\\<>\"'\x00-\x1f]{1,200}")
CELL_TYPES = ("code", "markdown", "raw")
KERNEL = {"display_name": "Python 3", "language": "python", "name": "python3"}


def allowed_output(item: object) -> Any:
    """An output as the notebook format has it, made anew of what it may hold; None where nothing is left of it.

    The format's own schema is not asked: that takes as long as whoever wrote the output wants.
    """
    if not isinstance(item, dict):
        return None
    match item.get("output_type"):
        case "stream" if item.get("name") in ("stdout", "stderr"):
            return nbformat.NotebookNode(output_type="stream", name=item["name"], text=allowed_text(item.get("text")))
        case "error":
            traceback = item.get("traceback")
            lines = [allowed_text(line) for line in traceback] if isinstance(traceback, list) else []
            names = {name: allowed_text(item.get(name)) for name in ("ename", "evalue")}
            return nbformat.NotebookNode(output_type="error", **names, traceback=lines)
        case "display_data" | "execute_result" as kind:
            return _display(kind, item)
    return None


def _display(kind: str, item: dict[str, Any]) -> Any:
    data = allowed_bundle(item.get("data"))
    if not data:
        return None
    count = item.get("execution_count")
    counted = {"execution_count": count if _is_number(count, 0, 1 << 31) else None} if kind == "execute_result" else {}
    return nbformat.from_dict(
        {"output_type": kind, "data": data, "metadata": _sizes(data, item.get("metadata"))} | counted
    )


def allowed_bundle(data: object) -> dict[str, str]:
    """What is displayed, by MIME type."""
    if not isinstance(data, dict):
        return {}
    bundle = {name: allowed_text(data[name]) for name in data if name in TEXT_TYPES}
    pictures = {name: _picture(data[name], PICTURES[name]) for name in data if name in PICTURES}
    return bundle | {name: picture for name, picture in pictures.items() if picture}


def allowed_text(value: object) -> str:
    """A text, or its lines, without control characters."""
    if isinstance(value, list):
        value = "".join(part for part in value if isinstance(part, str))
    return without_controls(value) if isinstance(value, str) else ""


def _picture(value: object, start: bytes) -> str:
    """A picture as base64 without breaks; nothing where it is none of its type."""
    encoded = "".join(allowed_text(value).split())
    if not BASE64.fullmatch(encoded):
        return ""
    try:
        return encoded if base64.b64decode(encoded, validate=True).startswith(start) else ""
    except binascii.Error:
        return ""


def _sizes(data: dict[str, str], metadata: object) -> dict[str, dict[str, int]]:
    """How large pictures are to be shown; by MIME type, wherever it was written."""
    if not isinstance(metadata, dict):
        return {}
    sizes = {}
    for name in PICTURES.keys() & data.keys():
        own = metadata.get(name)
        facts = {**metadata, **own} if isinstance(own, dict) else metadata
        if known := {key: facts[key] for key in SIZES if _is_number(facts.get(key), 1, LARGEST_PX)}:
            sizes[name] = known
    return sizes


def _is_number(value: object, least: int, most: int) -> bool:
    return type(value) is int and least <= value <= most


# ---- a notebook that a page is made of --------------------------------------------------------------


def allowed_notebook(notebook: Any) -> Any:
    """A notebook for a page, made anew of what a page needs; the cells keep their order."""
    cells = [allowed_cell(cell) for cell in notebook.get("cells", []) if isinstance(cell, dict)]
    if len({cell["id"] for cell in cells}) < len(cells):  # nbgrader writes notebooks of an older format, without ids
        for position, cell in enumerate(cells):
            cell["id"] = f"cell-{position}"
    metadata = nbformat.from_dict({"kernelspec": KERNEL})
    return nbformat.NotebookNode(cells=cells, metadata=metadata, nbformat=4, nbformat_minor=5)


def allowed_cell(cell: Any) -> Any:
    """A cell with its text, what nbgrader knows of it, and its outputs or attached pictures."""
    kind = cell.get("cell_type")
    metadata = cell.get("metadata")
    facts = _nbgrader(metadata_of(cell)) if isinstance(metadata, dict) else {}
    allowed = {
        "id": cell["id"] if _matches(CELL_ID, cell.get("id")) else "cell",
        "cell_type": kind if kind in CELL_TYPES else "raw",
        "source": allowed_text(cell.get("source")),
        "metadata": {"nbgrader": facts} if facts else {},
    }
    if kind == "code":
        count, outputs = cell.get("execution_count"), cell.get("outputs")
        allowed["execution_count"] = count if _is_number(count, 0, 1 << 31) else None
        allowed["outputs"] = [
            output for output in map(allowed_output, outputs if isinstance(outputs, list) else []) if output is not None
        ]
    elif attached := _attachments(cell.get("attachments")):
        allowed["attachments"] = attached
    return nbformat.from_dict(allowed)


def _nbgrader(metadata: dict[str, Any]) -> dict[str, Any]:
    """nbgrader's own metadata, with what it adds for a page; values of other types are left out."""
    flags = {
        name: metadata[name] for name in ("grade", "solution", "locked", "task") if type(metadata.get(name)) is bool
    }
    numbers = {name: metadata[name] for name in ("points", "score") if type(metadata.get(name)) in (int, float)}
    if not _matches(GRADE_ID, metadata.get("grade_id")):
        return {}
    comment = {"comment": allowed_text(metadata["comment"])} if metadata.get("comment") else {}
    return {"grade_id": metadata["grade_id"], "schema_version": 3} | flags | numbers | comment


def _attachments(attachments: object) -> dict[str, dict[str, str]]:
    """Pictures that belong to a text, by file name."""
    if not isinstance(attachments, dict):
        return {}
    named = {name: allowed_bundle(data) for name, data in attachments.items() if _matches(FILE_NAME, name)}
    pictures = {name: {kind: data[kind] for kind in PICTURES.keys() & data.keys()} for name, data in named.items()}
    return {name: data for name, data in pictures.items() if data}


def _matches(pattern: re.Pattern[str], value: object) -> bool:
    return isinstance(value, str) and pattern.fullmatch(value) is not None
