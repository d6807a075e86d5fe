"""The text of a cell that students fill, as nbgrader releases it: what is still so was not worked on."""

from __future__ import annotations

from tito.models import Stubs
from tito.plan.directives import without_private

NBGRADERS = Stubs()


def stub_of(source: str, cell_type: str, stubs: Stubs = NBGRADERS) -> str:
    """A solution or answer cell without what the reference has written into it, as ClearSolutions leaves it.

    nbgrader's own is not asked: it takes longer to import than a cohort's notebooks take to read.
    """
    stub = (stubs.code if cell_type == "code" else stubs.text).split("\n")
    lines: list[str] = []
    inside = replaced = False
    for line in without_private(source).split("\n"):
        if stubs.begin in line and not inside:
            inside = replaced = True
            indent = line[: len(line) - len(line.lstrip())]
            lines += [indent + text for text in stub]
        elif stubs.end in line:
            inside = False
        elif not inside:
            lines.append(line)
    return "\n".join(lines if replaced else stub)
