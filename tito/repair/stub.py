"""The text of a cell that students fill, as nbgrader releases it: what is still so was not worked on."""

from __future__ import annotations

from tito.plan.directives import without_private

BEGIN, END = "### BEGIN SOLUTION", "### END SOLUTION"
CODE_STUB = ("# YOUR CODE HERE", "raise NotImplementedError()")
TEXT_STUB = ("YOUR ANSWER HERE",)


def stub_of(source: str, cell_type: str) -> str:
    """A solution or answer cell without what the reference has written into it, as ClearSolutions leaves it.

    nbgrader's own is not asked: it takes longer to import than a cohort's notebooks take to read.
    """
    stub = CODE_STUB if cell_type == "code" else TEXT_STUB
    lines: list[str] = []
    inside = replaced = False
    for line in without_private(source).split("\n"):
        if BEGIN in line and not inside:
            inside = replaced = True
            indent = line[: len(line) - len(line.lstrip())]
            lines += [indent + text for text in stub]
        elif END in line:
            inside = False
        elif not inside:
            lines.append(line)
    return "\n".join(lines if replaced else stub)
