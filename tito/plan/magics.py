"""Cells that hold IPython's magics, read as the Python that they run. For what a text tells; nothing is run from here.

IPython's own transformation hides in strings what a magic reads (`%time f(x)`), and takes longer to import than a
submission takes to read.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace

from tito.course.cells import Cell
from tito.course.python_source import Source, fact
from tito.plan.names import Flow, flow_of

CELL_MAGIC = re.compile(r"\s*%%(?P<name>\w+)(?P<rest>[^\n]*)(?:\n|\Z)")
RUNS_IN_THE_NOTEBOOK = ("capture", "debug", "prun", "time")  # what these cells define stays defined
RUNS_APART = ("timeit",)
LINE_MAGIC = re.compile(r"^(?P<indent>[ \t]*)(?P<target>[\w., \t]+=[ \t]*)?(?P<magic>[%!][^\n]*)$", re.MULTILINE)
HELP = re.compile(r"^(?P<indent>[ \t]*)%?[\w.]+\?{1,2}[ \t]*$", re.MULTILINE)
WORD = re.compile(r"[^\W\d]\w*")


UNKNOWN = "get_ipython()"  # in the place of what a magic gives: nothing that could be told without running it


def readable(cells: Iterable[Cell]) -> list[Cell]:
    """The instructor's cells, those with magics as the Python that is left of them: else what such a cell imports is
    not seen, and `%matplotlib inline` stands among the imports as a rule. Tests stay as they are: theirs is run."""
    return [_readable(cell) for cell in cells]


def _readable(cell: Cell) -> Cell:
    if cell.is_test or not cell.is_code or flow_of(cell.code) is not None:
        return cell
    plain = cell.code.other(plain_python(cell.source, UNKNOWN))
    return replace(cell, code=plain) if flow_of(plain) is not None else cell


def plain_python(source: str, value: str = "None") -> str:
    """A cell without its magics: a line of them does nothing, and what they assign is None, or another `value`.

    Nothing is left of a cell that a magic hands to something other than Python.
    """
    cell_magic = CELL_MAGIC.match(source)
    if cell_magic is not None:
        source = source[cell_magic.end() :] if runs_python(cell_magic["name"]) else ""
    return HELP.sub(r"\g<indent>pass", LINE_MAGIC.sub(lambda line: _without_magic(line, value), source))


def runs_python(cell_magic: str) -> bool:
    """Whether a cell that begins with this magic is Python below it."""
    return cell_magic in (*RUNS_IN_THE_NOTEBOOK, *RUNS_APART)


def _without_magic(line: re.Match[str], value: str) -> str:
    return f"{line['indent']}{line['target']}{value}" if line["target"] else f"{line['indent']}pass"


@fact
def flow_with_magics(source: Source) -> Flow | None:
    """How names flow through a cell, magics or not; every word of a magic is taken for a name that it reads.

    None where that cannot be told, as by `flow_of`.
    """
    flow, text = flow_of(source), source.text
    if flow is not None or not ("%" in text or "!" in text or "?" in text):
        return flow
    flow = flow_of(source.other(plain_python(text)))
    if flow is None:
        return None
    cell_magic = CELL_MAGIC.match(text)
    magics = [line["magic"] for line in LINE_MAGIC.finditer(text)]
    if cell_magic is not None:
        magics.append(cell_magic["rest"] if runs_python(cell_magic["name"]) else text)
    read = flow.read.union(*(WORD.findall(magic) for magic in magics))
    if cell_magic is not None and cell_magic["name"] in RUNS_APART:
        return Flow(read, frozenset(), frozenset())
    return Flow(read, flow.bound, flow.set)
