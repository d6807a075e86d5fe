"""Assignments of an existing nbgrader course, in the manner of real ones, as text: no fixtures and no tests here.

A folder of `tests/sources/` is an assignment: each `.percent` file of it is a notebook, all else lies beside the
notebooks. Cells are begun as jupytext's percent format does, and say what nbgrader's metadata make of them:

    # %% solution NAME     # %% test NAME POINTS     # %% answer NAME POINTS     # %% locked NAME
    # %% [markdown] answer NAME POINTS     # %% [markdown] task NAME POINTS
"""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import Any

import nbformat
from nbgrader_cells import facts_of

from tito.course.course import Course, load_course

SOURCES = Path(__file__).resolve().parents[1] / "sources"
SETTINGS = """\
id = "plain"

[gates]
forgeable = "warn"

[sandbox]
packages = ["ipython", "matplotlib", "numpy", "pandas"]
"""
HEAD = re.compile(
    r"^# %%(?P<text> \[markdown\])?(?: (?P<kind>\w+) (?P<name>\w+)(?: (?P<points>\S+))?)?[ \t]*\n", re.MULTILINE
)
FLAGS = {
    "solution": {"solution": True},
    "test": {"grade": True, "locked": True},
    "answer": {"grade": True, "solution": True},
    "locked": {"locked": True},
    "task": {"task": True, "locked": True},
}


def names() -> list[str]:
    """The assignments that there are."""
    return sorted(path.name for path in SOURCES.iterdir() if path.is_dir())


def notebook(text: str) -> Any:
    """A notebook as its author has it: it has been run, and nbgrader's metadata are of version 3."""
    pieces = HEAD.split(text)
    cells = [
        _cell(number, bool(is_text), FLAGS.get(kind or "", {}), name or "", points, source.strip("\n"))
        for number, (is_text, kind, name, points, source) in enumerate(
            zip(pieces[1::5], pieces[2::5], pieces[3::5], pieces[4::5], pieces[5::5], strict=True), 1
        )
    ]
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    return nbformat.v4.new_notebook(cells=cells, metadata={"kernelspec": kernel})


def _cell(number: int, is_text: bool, flags: dict[str, bool], name: str, points: str | None, source: str) -> Any:
    facts = facts_of(name, **flags) | ({"points": float(points)} if points else {})
    metadata = {"nbgrader": facts} if name else {}
    if is_text:
        text = re.sub(r"^# ?", "", source, flags=re.MULTILINE)
        return nbformat.v4.new_markdown_cell(text, id=f"cell-{number}", metadata=metadata)
    return nbformat.v4.new_code_cell(source, id=f"cell-{number}", metadata=metadata, execution_count=number)


def write_assignment(course: Path, name: str, text: str | None = None) -> Path:
    """Put an assignment into `source/` of a course folder, with `text` in the place of its notebook's."""
    folder = course / "source" / name
    shutil.copytree(SOURCES / name, folder, ignore=shutil.ignore_patterns("*.percent"))
    for path in sorted((SOURCES / name).glob("*.percent")):
        nbformat.write(notebook(text or path.read_text(encoding="utf-8")), folder / f"{path.stem}.ipynb")
    return folder


def write_plain_course(root: Path, *assignments: str) -> Course:
    """A course as nbgrader has it, with a course.toml beside."""
    (root / "source").mkdir(parents=True)
    (root / "course.toml").write_text(SETTINGS)
    for name in assignments:
        write_assignment(root, name)
    return load_course(root.resolve())
