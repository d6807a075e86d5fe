"""Which lines of a cell say nothing about its solution: they stand in many a notebook, and may stand in a release.

Imports and magics, comments and docstrings, the heads of functions and classes (tests call them by these), drawing of
what has been computed, settings and seeds, loops over what is there. A line that computes or prints it is none of them.
"""

from __future__ import annotations

import ast
import io
import re
import tokenize
from collections.abc import Iterable, Iterator

from tito.course.python_source import UNPARSABLE, parsed
from tito.plan.magics import plain_python

DRAWING = ("matplotlib", "pylab", "seaborn", "plotly", "bokeh", "altair", "mpl_toolkits", "IPython", "ipywidgets")
DRAWN_ON = frozenset(("ax", "axes", "axs", "axis", "fig", "figure", "plt", "sns"))  # as everybody calls them
DRAWS = frozenset(("plot", "hist", "boxplot", "scatter_matrix"))  # methods of data frames
MAKES_FIGURES = frozenset(("subplots", "subplot", "figure", "add_subplot", "axes", "gca", "gcf", "twinx", "twiny"))
COUNTS = frozenset(("range", "enumerate", "zip", "len", "reversed", "tqdm"))
MAGIC = re.compile(r"[ \t]*[%!]")


def tree_of(source: str) -> ast.Module | None:
    """A cell's syntax tree, by the cell's own line numbers, without its magics; None where it is no Python."""
    try:
        text = plain_python(source)
        return parsed("\n" * (source.count("\n") - text.count("\n")) + text)
    except UNPARSABLE:
        return None


def without_comments(source: str) -> tuple[str, str]:
    """A cell's code and its comments, each with as many lines as the cell; all of it is code where it is no Python."""
    lines, comments = source.split("\n"), [""] * (source.count("\n") + 1)
    try:
        tokens = list(tokenize.generate_tokens(io.StringIO(source).readline))
    except (tokenize.TokenError, SyntaxError):  # magics, or a part of a cell
        tokens = []
    for token in tokens:
        if token.type == tokenize.COMMENT:
            row, column = token.start
            comments[row - 1] = token.string.lstrip("# ")
            lines[row - 1] = lines[row - 1][:column]
    if not tokens:
        for row, line in enumerate(lines):
            if line.lstrip().startswith("#"):
                lines[row], comments[row] = "", line.lstrip("# \t")
    return "\n".join(lines), "\n".join(comments)


class Boilerplate:
    """Finds such lines in the cells of one notebook, or of several that belong together."""

    def __init__(self, sources: Iterable[str]) -> None:
        trees = [tree for tree in map(tree_of, sources) if tree is not None]
        self._modules = frozenset(name for tree in trees for name, _ in _imported(tree))
        drawing = {name for tree in trees for name, module in _imported(tree) if module.split(".")[0] in DRAWING}
        self._drawing = DRAWN_ON | drawing
        self._drawing |= {name for tree in trees for name in _figures(tree)}

    def lines(self, source: str) -> frozenset[int]:
        """The lines of a cell, counted from 1, that say nothing."""
        saying_nothing = {row for row, line in enumerate(source.split("\n"), 1) if MAGIC.match(line)}
        tree = tree_of(source)
        if tree is None:
            return frozenset(saying_nothing)
        counted: set[int] = set()
        for node in ast.walk(tree):
            if isinstance(node, ast.stmt):
                rows = set(rows_of(node))
                if self._says_nothing(node):
                    saying_nothing |= rows
                else:
                    counted |= rows
        return frozenset(saying_nothing - counted)

    def _says_nothing(self, node: ast.stmt) -> bool:
        match node:
            case ast.Import() | ast.ImportFrom() | ast.Pass() | ast.Global() | ast.Nonlocal():
                return True
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef() | ast.Try():
                return True
            case ast.Expr(value=ast.Constant()):
                return True  # a docstring
            case ast.Expr(value=ast.Call() as call):
                return self._only_shows(call)
            case ast.Assign(value=ast.Call(func=ast.Attribute(value=ast.Name() | ast.Attribute()) as function) as call):
                return self._is_drawing(function) and _plain_call(call)
            case ast.Assign(targets=[target], value=value):
                return _is_plain(value) and (_root(target) in self._drawing or _keeps_argument(target, value))
            case ast.For(iter=value):
                return _is_plain(value) and not _holds_data(value)
            case ast.Raise(exc=ast.Call() as call):
                return _plain_call(call)
            case ast.If(test=ast.Compare(left=ast.Name(id="__name__"))):
                return True
        return False

    def _only_shows(self, call: ast.Call) -> bool:
        if not _plain_call(call):
            return False
        root = _root(call.func)
        if root in ("display", "super") or self._is_drawing(call.func):
            return True
        constants = all(isinstance(value, ast.Constant) for value in _values(call))
        return constants and (root == "print" or root in self._modules)  # np.random.seed(42), print("done")

    def _is_drawing(self, function: ast.expr) -> bool:
        return _root(function) in self._drawing or bool(DRAWS & set(_attributes(function)))


def rows_of(node: ast.stmt) -> range:
    """The lines of a statement; of one that holds others, its head."""
    body = getattr(node, "body", None) or getattr(node, "cases", None)
    decorators = getattr(node, "decorator_list", [])
    first = min([node.lineno, *(decorator.lineno for decorator in decorators)])
    if not body:
        return range(first, (node.end_lineno or node.lineno) + 1)
    inner = body[0].pattern if isinstance(body[0], ast.match_case) else body[0]
    return range(first, max(inner.lineno, first + 1))


def _imported(tree: ast.Module) -> Iterator[tuple[str, str]]:
    """Names that imports bind, with their modules."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((alias.asname or alias.name.split(".")[0], alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from ((alias.asname or alias.name, node.module or "") for alias in node.names)


def _figures(tree: ast.Module) -> Iterator[str]:
    """Names of figures and axes."""
    for node in ast.walk(tree):
        call = node.value if isinstance(node, ast.Assign) else None
        if isinstance(node, ast.Assign) and isinstance(call, ast.Call) and MAKES_FIGURES & {*_attributes(call.func)}:
            yield from (name.id for target in node.targets for name in _names(target))


def _names(target: ast.expr) -> Iterator[ast.Name]:
    return (node for node in ast.walk(target) if isinstance(node, ast.Name))


def _root(node: ast.expr) -> str:
    """The name that `name.attribute[index](...)` begins with."""
    while not isinstance(node, ast.Name):
        inner = getattr(node, "func", None) or getattr(node, "value", None)
        if not isinstance(inner, ast.expr):
            return ""
        node = inner
    return node.id


def _attributes(node: ast.expr) -> Iterator[str]:
    while isinstance(node, ast.Attribute):
        yield node.attr
        node = node.value


def _values(call: ast.Call) -> list[ast.expr]:
    return [*call.args, *(keyword.value for keyword in call.keywords)]


def _plain_call(call: ast.Call) -> bool:
    inner = call.func
    while isinstance(inner, ast.Attribute | ast.Call | ast.Subscript):
        if isinstance(inner, ast.Call) and not all(map(_is_plain, _values(inner))):
            return False
        inner = inner.func if isinstance(inner, ast.Call) else inner.value
    return all(map(_is_plain, _values(call)))


def _is_plain(node: ast.expr) -> bool:
    """Whether an expression only names what is there: nothing is computed but counts and places."""
    match node:
        case ast.Constant() | ast.Name():
            return True
        case ast.Attribute(value=value) | ast.Starred(value=value):
            return _is_plain(value)
        case ast.FormattedValue(value=value):
            return _is_plain(value)
        case ast.UnaryOp(operand=operand):
            return _is_plain(operand)
        case ast.Subscript(value=value, slice=index):
            return _is_plain(value) and _is_plain(index)
        case ast.Slice(lower=lower, upper=upper, step=step):
            return all(_is_plain(bound) for bound in (lower, upper, step) if bound is not None)
        case ast.Tuple(elts=values) | ast.List(elts=values) | ast.JoinedStr(values=values):
            return all(map(_is_plain, values))
        case ast.Dict(keys=keys, values=values):
            return all(_is_plain(value) for value in (*keys, *values) if value is not None)
        case ast.BinOp(left=left, op=ast.Add() | ast.Sub(), right=ast.Constant()):
            return _is_plain(left)
        case ast.Call(func=ast.Name(id=name)):
            return name in COUNTS and all(map(_is_plain, _values(node)))
        case ast.Call(func=ast.Attribute(value=value, attr="items" | "keys" | "values")):
            return not node.args and _is_plain(value)
    return False


def _holds_data(node: ast.expr) -> bool:
    """Whether values are written out in an expression: those of a test are its own."""
    return any(isinstance(inner, ast.List | ast.Tuple | ast.Dict | ast.Set) for inner in ast.walk(node))


def _keeps_argument(target: ast.expr, value: ast.expr) -> bool:
    """`self.rate = rate`"""
    return isinstance(target, ast.Attribute) and isinstance(value, ast.Name) and value.id == target.attr.lstrip("_")
