"""The text of a cell, and what it tells by itself: each fact is found out once, and stays with the text.

Nothing is run. Facts are found by functions elsewhere, of which `fact` makes ones that look first whether the text
knows the answer. They cross to other processes with it; syntax trees do not.
"""

from __future__ import annotations

import ast
import contextlib
import functools
import os
import resource
import threading
from collections.abc import Callable, Iterable
from typing import Any, Concatenate, ParamSpec, TypeVar

P = ParamSpec("P")
R = TypeVar("R")

UNPARSABLE = (SyntaxError, ValueError, RecursionError, MemoryError)
PARSER = threading.RLock()
PARSE_S = 1  # of processor time, for one text
LONGEST = 2000  # lines of one text: what is found out of its names takes time that grows faster than its length
MOST_CHARACTERS = 1 << 20  # of all texts together


def parsed(text: str) -> ast.Module:
    """`ast.parse`, again where CPython before 3.12 miscounts its depth because other code, that of a finalizer, ran
    while it made the tree, in one thread at a time (python/cpython#106905)."""
    with PARSER:
        return _parsed(text)


def _parsed(text: str) -> ast.Module:
    for _ in range(2):
        with contextlib.suppress(SystemError):
            return ast.parse(text)
    return ast.parse(text)


class ParseBudget:
    """For text on which reading has taken too long: which can be parsed is found out in processes that may end.

    Args:
        limit_s: processor time that all of them may take together.
    """

    def __init__(self, limit_s: float) -> None:
        self._left_s = limit_s
        self._characters = MOST_CHARACTERS

    def allows(self, text: str) -> bool:
        """Whether a text can be parsed in its time, and there is time left for it."""
        self._characters -= len(text)
        if self._left_s <= 0 or self._characters < 0 or text.count("\n") > LONGEST:
            return False
        child = os.fork()
        if child == 0:
            code = 1
            try:
                usage = resource.getrusage(resource.RUSAGE_SELF)
                limit = int(usage.ru_utime + usage.ru_stime) + PARSE_S + 1
                resource.setrlimit(resource.RLIMIT_CPU, (limit, limit))
                parsed(text)
                code = 0
            except UNPARSABLE:
                code = 0  # that it is no Python is known in its time
            finally:
                os._exit(code)
        _, status, usage = os.wait4(child, 0)
        self._left_s -= usage.ru_utime + usage.ru_stime
        return status == 0


class Source:
    """A text that may be Python. `is_unread`: it was not parsed, for the time that this would take."""

    __slots__ = ("_budget", "_error", "_nodes", "_tree", "facts", "is_unread", "text")

    def __init__(self, text: str, budget: ParseBudget | None = None) -> None:
        self.text = text
        self.facts: dict[tuple[Any, ...], Any] = {}
        self.is_unread = False
        self._budget = budget
        self._tree: ast.Module | None = None
        self._nodes: list[ast.AST] | None = None
        self._error: BaseException | None = None

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Source) and self.text == other.text

    def __hash__(self) -> int:
        return hash(self.text)

    def __reduce__(self) -> tuple[Any, ...]:
        return _restored, (self.text, self.facts, self.is_unread)

    @property
    def tree(self) -> ast.Module:
        """Its syntax tree, which nobody changes.

        Raises:
            SyntaxError, ValueError, RecursionError, MemoryError: it is no Python, too deeply nested, or, where there is
                a budget, would take too long.
        """
        if self._tree is None:
            if self._error is not None:
                raise self._error
            try:
                self._tree = self._parsed()
            except UNPARSABLE as error:
                self._error = error.with_traceback(None)
                raise
        return self._tree

    def _parsed(self) -> ast.Module:
        if self.is_unread or (self._budget is not None and not self._budget.allows(self.text)):
            self.is_unread = True
            raise ValueError("it would take too long to read")
        return parsed(self.text)

    @property
    def body(self) -> list[ast.stmt] | None:
        """Its statements; None where it cannot be parsed."""
        try:
            return self.tree.body
        except UNPARSABLE:
            return None

    @property
    def nodes(self) -> list[ast.AST]:
        """All nodes of its tree; raises what `tree` does."""
        if self._nodes is None:
            nodes: list[ast.AST] = [self.tree]
            for node in nodes:
                nodes += inner_nodes(node)
            self._nodes = nodes
        return self._nodes

    def other(self, text: str) -> Source:
        """What is made of it, within the same budget."""
        return self if text == self.text else Source(text, self._budget)


def _restored(text: str, facts: dict[tuple[Any, ...], Any], is_unread: bool) -> Source:
    source = Source(text)
    source.facts = facts
    source.is_unread = is_unread
    return source


def fact(function: Callable[Concatenate[Source, P], R]) -> Callable[Concatenate[Source, P], R]:
    """Have a function of a source, and of plain values by position, find out once what it finds out.

    What it raises is not kept.
    """
    name = f"{function.__module__}.{function.__qualname__}"

    @functools.wraps(function)
    def answered(source: Source, /, *arguments: P.args, **keywords: P.kwargs) -> R:
        question = (name, *arguments, *sorted(keywords.items()))
        try:
            answer: R = source.facts[question]
        except KeyError:
            answer = source.facts[question] = function(source, *arguments, **keywords)
        return answer

    return answered


class SourceReader:
    """Makes sources of texts, and of the same text the same source.

    Args:
        known: sources of the instructor's: they are taken as they are, with what was found out about them.
        budget: for text on which reading has taken too long before.
    """

    def __init__(self, known: Iterable[Source] = (), budget: ParseBudget | None = None) -> None:
        self._budget = budget
        self._sources = {source.text: source for source in known}

    def read(self, text: str) -> Source:
        """The source of that text."""
        source = self._sources.get(text)
        if source is None:
            source = self._sources[text] = Source(text, self._budget)
        return source


def inner_nodes(node: ast.AST) -> list[ast.AST]:
    """The nodes right below one, in their order; not what says whether a name is read or set, which is no code."""
    nodes: list[ast.AST] = []
    for name in node._fields:
        value = getattr(node, name, None)
        if isinstance(value, list):
            nodes += [inner for inner in value if isinstance(inner, ast.AST)]
        elif isinstance(value, ast.AST) and not isinstance(value, ast.expr_context):
            nodes.append(value)
    return nodes
