"""Copies of a notebook beside it (`sums-Copy1.ipynb`), which of them is graded, and what is said about it.

The notebook of the assignment's name is graded, as nbgrader does. Only where it holds no work, and the copies that do
all hold the same, is a copy graded in its place, and all who look at it are told. Which of several is meant is not told
by their names or times, which anybody can set: a person decides.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from tito.grade.reading import ReadNotebook
from tito.grade.repair import Unreadable

MOST_COPIES = 5  # that are looked at of one notebook
# As Jupyter, browsers, Windows, macOS and other people name them; and Google Drive, in front.
BEHIND = r"(?:-Copy\d+| ?\(\d+\)| - Copy| copy(?: \d+)?|_copy\d*)"
BEFORE = r"(?:Copy of )"


@dataclass(frozen=True)
class Undecided:
    """Copies of a notebook among which a person has to choose; the message says which they are."""

    message: str


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
) -> ReadNotebook | Unreadable | Undecided:
    """What is graded of a notebook, called `file`, and its copies.

    What is graded is `read` last: the judge is asked about its cells.
    """
    works = {copy: read(copy) for copy in copies[:MOST_COPIES]}
    notes = [f"beside it: {work}" for work in works.values() if isinstance(work, Unreadable)]
    readable = {copy: work for copy, work in works.items() if isinstance(work, ReadNotebook) and work.work}
    if isinstance(named, ReadNotebook) and named.work:
        different = [copy for copy, work in readable.items() if work.work != named.work]
        read(file)
        return _noted(named, [*(f"{copy} holds other work, and was not graded" for copy in different), *notes])
    why = str(named) if isinstance(named, Unreadable) else f"{file} is as it was released"
    if len(copies) > MOST_COPIES:
        return Undecided(f"{why}, and there are {len(copies)} copies of it: a person decides which counts")
    if len({work.work for work in readable.values()}) > 1:
        return Undecided(f"{why}, and {_listed(readable)} hold different work: a person decides which counts")
    if not readable:
        read(file)
        return _noted(named, notes) if isinstance(named, ReadNotebook) else named
    copy, work = next(iter(readable.items()))
    read(copy)
    note = f"graded was {copy}: {why}"
    return _noted(replace(work, headline=note), [note, *notes])


def _noted(read: ReadNotebook, notes: list[str]) -> ReadNotebook:
    return replace(read, notes=(*notes, *read.notes))


def _listed(copies: Mapping[str, ReadNotebook]) -> str:
    *names, last = copies
    return f"{', '.join(names)} and {last}"
