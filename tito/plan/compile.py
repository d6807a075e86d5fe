"""Python compiled ahead of the notebook that runs it. In a notebook's process, where all memory is cold, compiling
takes longer than running most cells; here what is the same in many submissions is compiled once.

What is compiled is marshalled for this interpreter, which is the notebook's too. Nothing is run here.
"""

from __future__ import annotations
import __future__

import ast
import hashlib
import marshal
import warnings
from collections.abc import Iterable, Iterator
from functools import lru_cache
from types import CodeType

from tito.course.python_source import Source, fact, parsed
from tito.models import CompiledCell
from tito.sandbox.inside.own_names import alias_of

FEATURES = sum(getattr(__future__, name).compiler_flag for name in __future__.all_feature_names)
REFUSED = (SyntaxError, ValueError, RecursionError, MemoryError, OverflowError, SystemError)
LOOPS = ("async", "await", "loop")  # words in cells that need an event loop to run around them, as a kernel's does


@lru_cache(maxsize=1024)
def compiled_section(source: str, pythons: tuple[str, ...] = ()) -> bytes:
    """A section of a test, marshalled; b"" for one that only IPython can run, because there are magics in it, or an
    `await` outside of functions. `pythons` are names that mean Python's own, whatever the notebook calls so."""
    try:
        tree = parsed(source)
        for node in ast.walk(tree):
            if isinstance(node, ast.Name) and node.id in pythons:
                node.id = alias_of(node.id)
        return marshal.dumps(compile(tree, "<test>", "exec", dont_inherit=True, optimize=0))
    except REFUSED:
        return b""


def compiled_cells(sources: Iterable[Source]) -> Iterator[CompiledCell | None]:
    """Cells in the order in which they run; None for one that IPython has to see as it is written.

    What a cell imports from __future__ holds in those after it.
    """
    flags: int | None = 0
    for source in sources:
        cell = None if flags is None else compiled_cell(source, flags)
        if cell is not None:
            flags = cell.sets
        elif "__future__" in source.text:
            flags = None
        yield cell


@fact
def compiled_cell(source: Source, flags: int) -> CompiledCell | None:
    """One cell of several lines that is plain Python. A single line may be a magic without its %."""
    text = source.text
    if "\n" not in text.strip() or any(word in text for word in LOOPS):
        return None
    name = f"<ipython-input-{hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()[:12]}>"
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")  # who runs it is to see the warning
            body = source.tree.body
            if "\\" in text:
                parsed(text)  # which warns of an escape that is none; what was parsed before has done that already
            if body and isinstance(body[-1], ast.Expr):
                code = _code(ast.Module(body[:-1], []), name, "exec", flags)
                last = marshal.dumps(
                    _code(ast.Interactive(body[-1:]), name, "single", flags | code.co_flags & FEATURES)
                )
            else:
                code, last = _code(ast.Module(body, []), name, "exec", flags), b""
    except (*REFUSED, Warning):
        return None
    return CompiledCell(name, marshal.dumps(code), last, flags, flags | code.co_flags & FEATURES)


def _code(tree: ast.Module | ast.Interactive, name: str, mode: str, flags: int) -> CodeType:
    code: CodeType = compile(tree, name, mode, flags, dont_inherit=True, optimize=0)
    return code
