"""Which names a piece of Python reads and binds, told from its source alone. Nothing is run."""

from __future__ import annotations

import ast
import builtins
import symtable
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from tito.course.cells import Cell
from tito.course.python_source import UNPARSABLE, Source, fact, parsed
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


def notebook_names(cells: Iterable[Cell]) -> NotebookNames:
    """Gather them from a source notebook's cells. What students import as the instructor does is not theirs."""
    names = NotebookNames()
    alike: list[tuple[str, str]] = []  # what student cells import
    for cell in cells:
        if not cell.is_code or flow_of(cell.code) is None:
            continue
        body = cell.code.tree.body
        imports = [statement for statement in body if isinstance(statement, ast.Import | ast.ImportFrom)]
        if cell.kind in (CellKind.SOLUTION, CellKind.ANSWER):
            rest = ast.Module([statement for statement in body if statement not in imports], [])
            names.students |= names_in(ast.unparse(rest)).bound
            alike += [pair for statement in imports for pair in imported(statement)]
        else:
            for statement in imports:
                names.imports |= dict.fromkeys((name for name, _ in imported(statement)), ast.unparse(statement))
    paths = {name: dict(imported(parsed(text).body[0])).get(name) for name, text in names.imports.items()}
    names.students |= {name for name, path in alike if paths.get(name) != path}
    return names


def imported(statement: ast.stmt) -> Iterator[tuple[str, str]]:
    """Names that an import statement binds, and what each stands for: `import numpy.linalg as la` is numpy.linalg."""
    if isinstance(statement, ast.Import):
        for alias in statement.names:
            yield (alias.asname, alias.name) if alias.asname else (alias.name.split(".")[0],) * 2
    elif isinstance(statement, ast.ImportFrom):
        for alias in statement.names:
            yield alias.asname or alias.name, f"{'.' * statement.level}{statement.module or ''}.{alias.name}"


@fact
def names_of(source: Source) -> Names:
    """Names that `source` reads from outside, and binds at its top level. Comprehensions and functions keep theirs.

    Raises what its `tree` does.
    """
    return _names(source.text, source.tree.body)


def names_in(text: str) -> Names:
    """The same of a piece of Python that was parsed before, or is the instructor's."""
    return _names(text, parsed(text).body)


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


# Methods that change what they are called on, and functions that change what they are handed first.
CHANGING = frozenset((
    "add", "append", "appendleft", "clear", "difference_update", "discard", "extend", "extendleft", "fill", "insert",
    "intersection_update", "itemset", "move_to_end", "partition", "pop", "popitem", "popleft", "put", "remove",
    "resize", "reverse", "rotate", "setdefault", "setflags", "sort", "subtract", "symmetric_difference_update",
    "truncate", "update", "write", "writelines", "__setitem__", "__iadd__", "__delitem__",
))  # fmt: skip
CHANGING_FIRST = frozenset((
    "copyto", "delattr", "fill_diagonal", "heapify", "heappop", "heappush", "heappushpop", "heapreplace", "insort",
    "insort_left", "insort_right", "place", "put", "put_along_axis", "putmask", "setattr", "shuffle",
))  # fmt: skip


def changed_in_place(statement: ast.stmt) -> frozenset[str]:
    """Names whose objects a statement changes itself, or in functions that it defines: `items.append(x)`; what a loop
    goes through as well, where its own name is changed: `for edge in edges: edge[0] = x`."""
    changed: set[str] = set()
    for node in ast.walk(statement):
        if isinstance(node, ast.Global):
            changed.update(node.names)
        elif isinstance(node, ast.Attribute | ast.Subscript) and isinstance(node.ctx, ast.Store | ast.Del):
            changed |= _root_of(node.value)
        elif isinstance(node, ast.Call):
            changed |= frozenset[str]().union(*map(_root_of, _changed_by(node)))
    loops = [node for node in ast.walk(statement) if isinstance(node, ast.For | ast.AsyncFor | ast.comprehension)]
    for _ in loops:  # once for each loop that may stand in another one
        for loop in loops:
            changed |= _gone_through(loop.target, loop.iter, changed)
    return frozenset(changed)


def _gone_through(target: ast.expr, iterated: ast.expr, changed: set[str]) -> set[str]:
    """Names whose items a loop hands out by a name that is changed: of `zip(left, right)` the one at its place."""
    if not changed & {node.id for node in ast.walk(target) if isinstance(node, ast.Name)}:
        return set()
    if isinstance(iterated, ast.Call) and isinstance(target, ast.Tuple):
        sources = {"zip": iterated.args, "enumerate": [ast.Constant(0), *iterated.args[:1]]}.get(called_name(iterated))
        if sources and len(sources) == len(target.elts):
            pairs = zip(target.elts, sources, strict=True)
            return set().union(*(_gone_through(part, source, changed) for part, source in pairs))
    nodes = list(ast.walk(iterated))
    called = {id(node.func) for node in nodes if isinstance(node, ast.Call)}
    return {node.id for node in nodes if isinstance(node, ast.Name) and id(node) not in called}


def called_name(call: ast.Call) -> str:
    """The name that a function or a method is called by; "" where it has none."""
    return call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")


def _changed_by(call: ast.Call) -> Iterator[ast.expr]:
    """Expressions for what a call changes."""
    name = called_name(call)
    if isinstance(call.func, ast.Attribute) and name in CHANGING:
        yield call.func.value
    if name in CHANGING_FIRST or (name in CHANGING and _root_of(call.func) <= {"list", "dict", "set"}):
        yield from call.args[:1]
    yield from (keyword.value for keyword in call.keywords if keyword.arg == "out")


def _root_of(node: ast.expr) -> frozenset[str]:
    """The name that an expression begins with, through attributes, items and the methods of it that are called."""
    while isinstance(node, ast.Attribute | ast.Subscript | ast.Call | ast.Starred):
        node = node.func if isinstance(node, ast.Call) else node.value
    return frozenset((node.id,)) if isinstance(node, ast.Name) else frozenset()


@dataclass(frozen=True)
class Flow:
    """Names that a cell reads before it sets them itself, all that it may bind, and those that it surely sets."""

    read: frozenset[str]
    bound: frozenset[str]
    set: frozenset[str]


@fact
def flow_of(source: Source) -> Flow | None:
    """How names flow through a cell.

    None when that cannot be told: it is no plain Python, or nested so deeply that the compiler gives up.
    """
    lines = source.text.replace("\r\n", "\n").replace("\r", "\n").split("\n")  # as Python counts them
    try:
        return _flow(source.tree.body, frozenset(), lines)
    except UNPARSABLE:
        return None


def flow_in(text: str) -> Flow | None:
    """The same of a text of the instructor's."""
    return flow_of(Source(text))


def _flow(statements: list[ast.stmt], surely: frozenset[str], lines: list[str]) -> Flow:
    """Flow of statements in order, when the names in `surely` are set before them; `lines` are of the whole source."""
    read: frozenset[str] = frozenset()
    bound: frozenset[str] = frozenset()
    for statement in statements:
        head, bodies = _parts(statement)
        names = _names_of_definition(statement, lines) or names_in("\n".join(ast.unparse(part) for part in head))
        read |= names.read - surely
        inner = [_flow(body, surely | names.bound | at_entry, lines) for body, at_entry in bodies]
        read |= frozenset().union(*(flow.read for flow in inner))
        bound |= names.bound.union(*(flow.bound | at_entry for flow, (_, at_entry) in zip(inner, bodies, strict=True)))
        if not bodies:
            surely |= names.bound
        elif isinstance(statement, ast.With):
            surely |= names.bound | inner[0].set
    return Flow(read, bound, surely)


def _names_of_definition(statement: ast.stmt, lines: list[str]) -> Names | None:
    """Names of a function or a class at the left margin, whose text need not be written anew; else None."""
    if not isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) or statement.col_offset:
        return None
    first = min(part.lineno for part in (statement, *statement.decorator_list))
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
            ast.Assign([item.optional_vars], item.context_expr, lineno=0)
            for item in statement.items
            if item.optional_vars
        ]
        return [*(item.context_expr for item in statement.items), *named], [(statement.body, nothing)]
    if isinstance(statement, ast.Try):
        handlers = [(handler.body, frozenset([handler.name] if handler.name else [])) for handler in statement.handlers]
        kinds: list[ast.AST] = [handler.type for handler in statement.handlers if handler.type is not None]
        rest = [(statement.body, nothing), *handlers, (statement.orelse, nothing), (statement.finalbody, nothing)]
        return kinds, rest
    return [statement], []
