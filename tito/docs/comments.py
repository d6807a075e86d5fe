"""What the comments of a class say of its fields and members: Sphinx's own form, `#:` in lines above, or `#` behind."""

from __future__ import annotations

import ast
import inspect
import io
import textwrap
import tokenize
from collections.abc import Iterator
from enum import Enum

from tito.course.python_source import parsed
from tito.docs.markdown import code

DOCUMENTS = "#:"


def comments_in(cls: type) -> dict[str, str]:
    """The comment of each field or member of a class, by its name; "" where there is none."""
    source = textwrap.dedent(inspect.getsource(cls))
    comments = {
        token.start: token.string
        for token in tokenize.generate_tokens(io.StringIO(source).readline)
        if token.type is tokenize.COMMENT
    }
    by_row = {row: text for (row, _), text in comments.items()}
    whole_rows = {row for row, column in comments if not source.splitlines()[row - 1][:column].strip()}
    (body,) = (node for node in parsed(source).body if isinstance(node, ast.ClassDef))
    return {
        target.id: _comment(node, by_row, whole_rows)
        for node in body.body
        for target in _targets(node)
        if isinstance(target, ast.Name) and not target.id.startswith("_")
    }


def members_of(kind: type[Enum]) -> Iterator[tuple[str, str]]:
    """The value of each member, and its comment: rows of a table."""
    comments = comments_in(kind)
    return ((code(str(each.value)), comments[each.name]) for each in kind)


def _targets(node: ast.stmt) -> list[ast.expr]:
    if isinstance(node, ast.AnnAssign):
        return [node.target]
    return node.targets if isinstance(node, ast.Assign) else []


def _comment(node: ast.stmt, by_row: dict[int, str], whole_rows: set[int]) -> str:
    behind = node.end_lineno or node.lineno
    if behind in by_row and behind not in whole_rows:
        return by_row[behind].lstrip("#: ").strip()
    lines: list[str] = []
    row = node.lineno - 1
    while row in whole_rows and by_row[row].startswith(DOCUMENTS):
        lines.insert(0, by_row[row].removeprefix(DOCUMENTS).strip())
        row -= 1
    return " ".join(lines)
