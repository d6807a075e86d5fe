"""A course of nbgrader's own, as it lies on disk: told from names of files and from text, without running anything."""

from __future__ import annotations

import re
from dataclasses import fields
from pathlib import Path

from tito.course.settings import SETTINGS_FILE, FolderSettings
from tito.errors import UsageError

GRADEBOOK = "gradebook.db"  # where nbgrader keeps it unless a course says otherwise
CONFIG_FILE = "nbgrader_config.py"
STEPS = tuple(step.name for step in fields(FolderSettings))
RECORDS = "gradebook/verdicts, plans and exports"  # what tito keeps beside nbgrader's own
WIRED = "tito.bridge.guard"  # what an nbgrader_config.py of ours imports
SETS_A_GRADEBOOK = re.compile(r"""^[^#\n]*\bdb_url\b\s*=\s*(?P<value>[^#\n]*)""", re.MULTILINE)


def config_of(root: Path) -> Path | None:
    """The nbgrader_config.py that the course brought along; none where it only leads to tito's settings."""
    path = root / CONFIG_FILE
    if not path.is_file() or WIRED in path.read_text(encoding="utf-8", errors="replace"):
        return None
    return path


def is_nbgraders(root: Path) -> bool:
    """Whether nbgrader has worked in a folder before, or has been set up for it."""
    return (root / GRADEBOOK).exists() or config_of(root) is not None


def looks_like_nbgraders(root: Path) -> bool:
    """Whether nbgrader could work in a folder, if only because of notebooks where it wants them."""
    return is_nbgraders(root) or any(root.glob("source/*/*.ipynb"))


def gradebook_in_config(root: Path) -> str:
    """The URL of the gradebook as the course's own nbgrader_config.py sets it, as it is written; or ""."""
    path = config_of(root)
    match = SETS_A_GRADEBOOK.search(path.read_text(encoding="utf-8", errors="replace")) if path is not None else None
    return match["value"].strip() if match is not None else ""


def require_no_other_course(root: Path) -> None:
    """Raise where a folder is a part of a course: of what students handed in, settings would be run as code.

    Raises:
        UsageError: says which course, and where to go.
    """
    for above in root.parents:
        if (above / SETTINGS_FILE).is_file() or config_of(above) is not None:
            raise UsageError(f"{root} is a part of the course in {above}.", hint=f"Change into {above} first.")
        if root.relative_to(above).parts[0] in STEPS and is_nbgraders(above):
            raise UsageError(f"{root} is a part of the course in {above}.", hint=f"Change into {above} first.")
