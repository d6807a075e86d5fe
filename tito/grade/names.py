"""Which names a piece of Python reads and binds, told from its source alone. Nothing is run."""

from __future__ import annotations

import ast
import builtins
import symtable
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from tito.cells import kind_of
from tito.models import CellKind

BUILTINS = frozenset(dir(builtins))


@dataclass(frozen=True)
class Names:
    """Names that a piece of source reads from outside itself, and those that it binds at its top level."""

    read: frozenset[str]
    bound: frozenset[str]


@dataclass
class NotebookNames:
    """Import statements of the instructor's own cells by the name they bind, and what student cells bind."""

    imports: dict[str, str] = field(default_factory=dict)
    students: set[str] = field(default_factory=set)


def notebook_names(cells: Iterable[Any]) -> NotebookNames:
    """Gather them from a source notebook's cells."""
    names = NotebookNames()
    for cell in cells:
        if cell.get("cell_type") != "code":
            continue
        source = str(cell.get("source", ""))
        flow = flow_of(source)
        if flow is None:
            continue
        if kind_of(cell) in (CellKind.SOLUTION, CellKind.ANSWER):
            names.students |= flow.bound
        else:
            for statement in ast.parse(source).body:
                if isinstance(statement, ast.Import | ast.ImportFrom):
                    names.imports |= dict.fromkeys(_bound_by_import(statement), ast.unparse(statement))
    return names


def _bound_by_import(statement: ast.Import | ast.ImportFrom) -> list[str]:
    return [alias.asname or alias.name.split(".")[0] for alias in statement.names]


def names_of(source: str) -> Names:
    """Names that `source` reads from outside, and binds at its top level. Comprehensions and functions keep theirs."""
    table = symtable.symtable(source, "<cell>", "exec")
    read, bound = set(), set()
    for symbol in table.get_symbols():
        if symbol.is_referenced():
            read.add(symbol.get_name())
        if symbol.is_assigned() or symbol.is_imported() or symbol.is_namespace():
            bound.add(symbol.get_name())
    for child in table.get_children():
        read |= _global_reads(child)
    for node in _own_nodes(ast.parse(source)):
        if isinstance(node, ast.AugAssign) and isinstance(node.target, ast.Name):
            read.add(node.target.id)  # `x += 1` reads x too, which symtable does not say
        elif isinstance(node, ast.NamedExpr):
            bound.add(node.target.id)  # also out of a comprehension
    return Names(frozenset(read), frozenset(bound))


def _own_nodes(node: ast.AST) -> Iterator[ast.AST]:
    """The nodes below `node`, but for those inside functions and classes."""
    for child in ast.iter_child_nodes(node):
        yield child
        if not isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.Lambda):
            yield from _own_nodes(child)


def _global_reads(table: symtable.SymbolTable) -> set[str]:
    read = {symbol.get_name() for symbol in table.get_symbols() if symbol.is_global() and symbol.is_referenced()}
    for child in table.get_children():
        read |= _global_reads(child)
    return read


@dataclass(frozen=True)
class Flow:
    """Names that a cell reads before it sets them itself, all that it may bind, and those that it surely sets."""

    read: frozenset[str]
    bound: frozenset[str]
    set: frozenset[str]


@lru_cache(maxsize=4096)
def flow_of(source: str) -> Flow | None:
    """How names flow through a cell. Most cells of a cohort are the same text.

    None when that cannot be told: it is no plain Python, or nested so deeply that the compiler gives up.
    """
    try:
        return _flow(ast.parse(source).body, frozenset())
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def _flow(statements: list[ast.stmt], surely: frozenset[str]) -> Flow:
    """Flow of statements in order, when the names in `surely` are set before them."""
    read: frozenset[str] = frozenset()
    bound: frozenset[str] = frozenset()
    for statement in statements:
        head, bodies = _parts(statement)
        names = names_of("\n".join(ast.unparse(part) for part in head))
        read |= names.read - surely
        inner = [_flow(body, surely | names.bound | at_entry) for body, at_entry in bodies]
        read |= frozenset().union(*(one.read for one in inner))
        bound |= names.bound.union(*(one.bound | at_entry for one, (_, at_entry) in zip(inner, bodies, strict=True)))
        if not bodies:
            surely |= names.bound
        elif isinstance(statement, ast.With):
            surely |= names.bound | inner[0].set
    return Flow(read, bound, surely)


def _parts(statement: ast.stmt) -> tuple[list[ast.AST], list[tuple[list[ast.stmt], frozenset[str]]]]:
    """A compound statement's own expressions, and its bodies with the names that are set when each is entered.

    A simple statement, a function or a class is all head.
    """
    nothing: frozenset[str] = frozenset()
    if isinstance(statement, ast.If | ast.While):
        return [statement.test], [(statement.body, nothing), (statement.orelse, nothing)]
    if isinstance(statement, ast.For):
        targets = frozenset(node.id for node in ast.walk(statement.target) if isinstance(node, ast.Name))
        return [statement.iter], [(statement.body, targets), (statement.orelse, nothing)]
    if isinstance(statement, ast.With):
        named = [
            ast.Assign([one.optional_vars], one.context_expr, lineno=0) for one in statement.items if one.optional_vars
        ]
        return [*(one.context_expr for one in statement.items), *named], [(statement.body, nothing)]
    if isinstance(statement, ast.Try):
        handlers = [(one.body, frozenset([one.name] if one.name else [])) for one in statement.handlers]
        kinds: list[ast.AST] = [one.type for one in statement.handlers if one.type is not None]
        rest = [(statement.body, nothing), *handlers, (statement.orelse, nothing), (statement.finalbody, nothing)]
        return kinds, rest
    return [statement], []
