"""Copies of a notebook beside it (`sums-Copy1.ipynb`), which of them is graded, and what is said about it.

The notebook of the assignment's name is graded, as nbgrader does. Only where it holds no work, and the copies that do
all hold the same, is a copy graded in its place, and all who look at it are told. Which of several is meant is not told
by their names or times, which anybody can set: a person decides.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from tito.course.cells import Cell
from tito.course.python_source import Source, fact
from tito.course.submission_files import Unreadable
from tito.models import CellKind, Stubs
from tito.plan.plan import NotebookPlan
from tito.plan.test_cell import visible_source
from tito.repair.read_notebook import ReadNotebook
from tito.repair.repair import OURS_ONLY
from tito.repair.stub import stub_of

MOST_COPIES = 5  # that are looked at of one notebook
# As Jupyter, browsers, Windows, macOS and other people name them; and Google Drive, in front.
BEHIND = r"(?:-Copy\d+| ?\(\d+\)| - Copy| copy(?: \d+)?|_copy\d*)"
BEFORE = r"(?:Copy of )"


@dataclass(frozen=True)
class Undecided:
    """Copies of a notebook among which a person has to choose; the message says which they are."""

    message: str


class NotRead(Unreadable):
    """A copy that nobody has looked at: it may hold work."""


def copies_in(folder: Path, name: str, others: Iterable[str] = ()) -> list[str]:
    """File names of a notebook's copies in a submission, in their order; `others` are notebooks that are no copies."""
    stem = re.escape(name)
    pattern = re.compile(rf"(?:{BEFORE}*{stem}{BEHIND}+|{BEFORE}+{stem}{BEHIND}*)\.ipynb", re.IGNORECASE)
    own = {f"{other}.ipynb" for other in others}
    try:
        names = [path.name for path in folder.iterdir()]
    except OSError:
        return []
    return sorted(each for each in names if pattern.fullmatch(each) and each not in own)


def chosen(
    named: ReadNotebook | Unreadable,
    file: str,
    copies: list[str],
    read: Callable[[str], ReadNotebook | Unreadable],
    work_in: Callable[[ReadNotebook], str],
) -> ReadNotebook | Unreadable | Undecided:
    """What is graded of a notebook, called `file`, and its copies; `work_in` tells apart what students have written.

    What is graded is `read` last: the judge is asked about its cells.
    """
    notebooks = {copy: read(copy) for copy in copies[:MOST_COPIES]}
    notes = [f"beside it: {error}" for error in notebooks.values() if isinstance(error, Unreadable)]
    readable = {copy: notebook for copy, notebook in notebooks.items() if isinstance(notebook, ReadNotebook)}
    works = {copy: work for copy, notebook in readable.items() if (work := work_in(notebook))}
    if isinstance(named, ReadNotebook) and (own := work_in(named)):
        different = [copy for copy, work in works.items() if work != own]
        read(file)
        return _noted(named, [*(f"{copy} holds other work, and was not graded" for copy in different), *notes])
    why = str(named) if isinstance(named, Unreadable) else f"{file} is as it was released"
    if len(copies) > MOST_COPIES:
        return Undecided(f"{why}, and there are {len(copies)} copies of it: a person decides which counts")
    if any(isinstance(notebook, NotRead) for notebook in notebooks.values()):
        return Undecided(f"{why}, and its copies take too long to read: a person decides which counts")
    if len({*works.values()}) > 1:
        return Undecided(f"{why}, and {_listed(works)} hold different work: a person decides which counts")
    if not works:
        read(file)
        return _noted(named, notes) if isinstance(named, ReadNotebook) else named
    copy = next(iter(works))
    read(copy)
    note = f"graded was {copy}: {why}"
    return _noted(replace(readable[copy], headline=note), [note, *notes])


def _noted(read: ReadNotebook, notes: list[str]) -> ReadNotebook:
    return replace(read, notes=(*notes, *read.notes))


def _listed(copies: Mapping[str, str]) -> str:
    *names, last = copies
    return f"{', '.join(names)} and {last}"


def work_in(plan: NotebookPlan, read: ReadNotebook) -> str:
    """A digest of what the student has written, "" where all is as it was released."""
    digest = hashlib.sha256()
    worked = False
    for place, cell in zip(read.places, read.cells, strict=True):
        words = cell.source.split()
        original = plan.cells[place] if place >= 0 else None
        if not words or (original is not None and original.kind in OURS_ONLY):
            continue
        if original is None or words != _released_words(original, plan.stubs):
            digest.update(f"{place} {' '.join(words)}\0".encode())
            worked = True
    return digest.hexdigest() if worked else ""


def _released_words(original: Cell, stubs: Stubs) -> list[str]:
    """The text of one of the instructor's cells as students got it, in words."""
    stub = original.kind in (CellKind.SOLUTION, CellKind.ANSWER)
    return _words_of_stub(original.code, original.cell_type, stubs) if stub else _visible_words(original.code)


@fact
def _words_of_stub(original: Source, cell_type: str, stubs: Stubs) -> list[str]:
    return stub_of(original.text, cell_type, stubs).split()


@fact
def _visible_words(original: Source) -> list[str]:
    return visible_source(original.text).split()
