"""Which names a piece of Python reads and binds, told from its source alone. Nothing is run."""

from __future__ import annotations

import ast
import builtins
import symtable
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from tito.cells import kind_of
from tito.grade.sources import parsed, remembered, within
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
            for statement in parsed(source).body:
                if isinstance(statement, ast.Import | ast.ImportFrom):
                    names.imports |= dict.fromkeys(_bound_by_import(statement), ast.unparse(statement))
    return names


def _bound_by_import(statement: ast.Import | ast.ImportFrom) -> list[str]:
    return [alias.asname or alias.name.split(".")[0] for alias in statement.names]


@remembered
def names_of(source: str) -> Names:
    """Names that `source` reads from outside, and binds at its top level. Comprehensions and functions keep theirs."""
    return _names(source, parsed(source).body)


def _names(source: str, statements: list[ast.stmt]) -> Names:
    """The same for a source whose statements are known."""
    table = symtable.symtable(source, "<cell>", "exec")
    read, bound = set(), set()
    for symbol in table.get_symbols():
        if symbol.is_referenced():
            read.add(symbol.get_name())
        if symbol.is_assigned() or symbol.is_imported() or symbol.is_namespace():
            bound.add(symbol.get_name())
    for child in table.get_children():
        read |= _global_reads(child)
    for node in _own_nodes(statements):
        if isinstance(node, ast.AugAssign) and isinstance(node.target, ast.Name):
            read.add(node.target.id)  # `x += 1` reads x too, which symtable does not say
        elif isinstance(node, ast.NamedExpr):
            bound.add(node.target.id)  # also out of a comprehension
    return Names(frozenset(read), frozenset(bound))


def _own_nodes(nodes: Iterable[ast.AST]) -> Iterator[ast.AST]:
    """The nodes and those below them, but for those inside functions and classes."""
    for node in nodes:
        yield node
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.Lambda):
            yield from _own_nodes(ast.iter_child_nodes(node))


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


@remembered
def flow_of(source: str) -> Flow | None:
    """How names flow through a cell.

    None when that cannot be told: it is no plain Python, or nested so deeply that the compiler gives up.
    """
    lines = source.replace("\r\n", "\n").replace("\r", "\n").split("\n")  # as Python counts them
    try:
        body = parsed(source).body
        with within():
            return _flow(body, frozenset(), lines)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def _flow(statements: list[ast.stmt], surely: frozenset[str], lines: list[str]) -> Flow:
    """Flow of statements in order, when the names in `surely` are set before them; `lines` are of the whole source."""
    read: frozenset[str] = frozenset()
    bound: frozenset[str] = frozenset()
    for statement in statements:
        head, bodies = _parts(statement)
        names = _names_of_definition(statement, lines) or names_of("\n".join(ast.unparse(part) for part in head))
        read |= names.read - surely
        inner = [_flow(body, surely | names.bound | at_entry, lines) for body, at_entry in bodies]
        read |= frozenset().union(*(one.read for one in inner))
        bound |= names.bound.union(*(one.bound | at_entry for one, (_, at_entry) in zip(inner, bodies, strict=True)))
        if not bodies:
            surely |= names.bound
        elif isinstance(statement, ast.With):
            surely |= names.bound | inner[0].set
    return Flow(read, bound, surely)


def _names_of_definition(statement: ast.stmt, lines: list[str]) -> Names | None:
    """Names of a function or a class at the left margin, whose text need not be written anew; else None."""
    if not isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) or statement.col_offset:
        return None
    first = min(one.lineno for one in (statement, *statement.decorator_list))
    return _names("\n".join(lines[first - 1 : statement.end_lineno]), [statement])


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
