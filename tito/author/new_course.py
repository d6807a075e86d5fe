"""A small course that works, for a folder where there is nothing yet: one module, and two students who play it."""

from __future__ import annotations

import re
from pathlib import Path

TEMPLATES = Path(__file__).with_name("templates")
SUFFIX = ".tpl"
COURSE_ID = "COURSE_ID"
MODULE = "01_averages"


def new_course(folder: Path) -> dict[Path, str]:
    """The files of the course, by their place in it."""
    files = {}
    for path in sorted(TEMPLATES.rglob(f"*{SUFFIX}")):
        text = path.read_text(encoding="utf-8").replace(COURSE_ID, _id_from(folder))
        files[path.relative_to(TEMPLATES).with_suffix("")] = text
    return files


def is_fresh(folder: Path) -> bool:
    """Whether nothing is in a folder that a course could be in the way of."""
    if not folder.exists():
        return True
    harmless = re.compile(r"\..*|(readme|license|licence)(\..*)?", re.IGNORECASE)
    return all(harmless.fullmatch(path.name) for path in folder.iterdir())


def _id_from(folder: Path) -> str:
    return re.sub(r"[^A-Za-z0-9_.-]+", "-", folder.name).strip("-.") or "course"
