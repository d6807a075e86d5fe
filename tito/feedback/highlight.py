"""Python as a page shows it: few kinds of words have a colour, so that code takes little more room than its text."""

from __future__ import annotations

import html
from functools import cache

from markupsafe import Markup
from pygments.lexer import Lexer
from pygments.lexers import PythonLexer
from pygments.token import Comment, Keyword, Name, Number, Operator, String, _TokenType

LONGEST = 20_000  # characters: what is longer stands there as it was written
# Of the kinds that pygments knows, the class of those with a colour; the first that a kind is part of.
CLASSES: tuple[tuple[_TokenType, str], ...] = (
    (Comment, "c"),
    (String, "s"),
    (Number, "n"),
    (Keyword, "k"),
    (Operator.Word, "k"),
    (Name.Function, "f"),
    (Name.Class, "f"),
    (Name.Decorator, "f"),
)


def highlighted(code: str) -> Markup:
    """Code as HTML."""
    if len(code) > LONGEST:
        return Markup(html.escape(code))
    parts: list[str] = []
    before, pending = "", ""
    for kind, text in _lexer().get_tokens(code):
        name = _class_of(kind)
        if name != before and text.strip():
            parts.append(_span(before, pending))
            before, pending = name, ""
        pending += text
    parts.append(_span(before, pending))
    return Markup("".join(parts))


@cache
def _class_of(kind: _TokenType) -> str:
    return next((name for whole, name in CLASSES if kind in whole), "")


def _span(name: str, text: str) -> str:
    escaped = html.escape(text, quote=False)
    return f'<span class="{name}">{escaped}</span>' if name and text else escaped


@cache
def _lexer() -> Lexer:
    return PythonLexer(stripnl=False, ensurenl=False)
