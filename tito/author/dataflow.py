"""How observed values flow through a judge half: what each part of it depends on, told from its source alone."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator

from tito.course.python_source import parsed
from tito.plan.names import names_in

WORDS = ("err_msg", "msg", "message")  # arguments that are only said


class Dependence:
    """Which observed names each name of a judge half depends on, as its statements are followed."""

    def __init__(self, observed: Iterable[str]) -> None:
        self._on: dict[str, frozenset[str]] = {name: frozenset((name,)) for name in observed}

    def follow(self, source: str) -> frozenset[str]:
        """Follow a part; the observed names that its outcome depends on."""
        return frozenset[str]().union(*(self._statement(statement) for statement in parsed(source).body))

    def statements(self, source: str) -> Iterator[frozenset[str]]:
        """Follow a part; the observed names that each of its statements depends on."""
        for statement in parsed(source).body:
            yield self._statement(statement)

    def reads(self, source: str) -> frozenset[str]:
        """The observed names that a part depends on; it leaves nothing behind."""
        known = dict(self._on)
        try:
            return self.follow(source)
        finally:
            self._on = known

    def _statement(self, statement: ast.stmt) -> frozenset[str]:
        deciding = ast.unparse(_Silent().visit(parsed(ast.unparse(statement))))
        names = names_in(deciding)
        source = frozenset[str]().union(*(self._on.get(name, frozenset()) for name in names.read))
        plain = isinstance(statement, ast.Assign | ast.AnnAssign)
        for name in names.bound:
            self._on[name] = source if plain else self._on.get(name, frozenset()) | source
        for name in _changed_in_place(statement):
            if name in self._on:  # the half's own: no module is changed
                self._on[name] |= source
        return source


class _Silent(ast.NodeTransformer):
    """Takes out what is only said of a failure: it decides nothing."""

    def visit_Assert(self, node: ast.Assert) -> ast.Assert:
        self.generic_visit(node)
        return ast.Assert(node.test, None)

    def visit_Call(self, node: ast.Call) -> ast.Call:
        self.generic_visit(node)
        return ast.Call(node.func, node.args, [keyword for keyword in node.keywords if keyword.arg not in WORDS])


def _changed_in_place(statement: ast.stmt) -> Iterator[str]:
    """Names of objects that a statement may change: `found.append(x)`, `table[key] = x`."""
    for node in ast.walk(statement):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            yield from _root(node.func.value)
        elif isinstance(node, ast.Attribute | ast.Subscript) and isinstance(node.ctx, ast.Store):
            yield from _root(node.value)


def _root(node: ast.expr) -> Iterator[str]:
    while isinstance(node, ast.Attribute | ast.Subscript):
        node = node.value
    if isinstance(node, ast.Name):
        yield node.id
