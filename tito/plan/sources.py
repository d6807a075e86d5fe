"""What is told of a piece of Python from its text alone is told once: most cells of a cohort are the same text, and so
are those of the next run."""

from __future__ import annotations

import ast
import contextlib
import functools
import os
import resource
from collections.abc import Callable, Iterator
from typing import Any, ParamSpec, TypeVar

P = ParamSpec("P")
R = TypeVar("R")

MOST = 4096  # answers that are remembered of each question
_answers: dict[str, dict[tuple[Any, ...], Any]] = {}


def remembered(function: Callable[P, R]) -> Callable[P, R]:
    """Have a function of a source, and of other plain values by position, answer from memory what it was asked before.

    What it raises is not remembered.
    """
    known = _answers.setdefault(f"{function.__module__}.{function.__qualname__}", {})

    @functools.wraps(function)
    def told(*arguments: P.args, **keywords: P.kwargs) -> R:
        asked = (*arguments, *sorted(keywords.items()))
        try:
            answer: R = known[asked]
        except KeyError:
            answer = function(*arguments, **keywords)
            if len(known) >= MOST:
                known.clear()
            known[asked] = answer
        return answer

    return told


def memory() -> dict[str, dict[tuple[Any, ...], Any]]:
    """All answers, for another process to `remember`."""
    return _answers


def remember(answers: dict[str, dict[tuple[Any, ...], Any]]) -> None:
    """Take over what another process was told."""
    for question, known in answers.items():
        _answers.setdefault(question, {}).update(known)


@functools.lru_cache(maxsize=512)
def parsed(source: str) -> ast.Module:
    """The source's tree, which nobody changes.

    Raises:
        SyntaxError, ValueError, RecursionError, MemoryError: it is no Python, too deeply nested, or, where care is
        taken,
            would take too long.
    """
    if _care is not None and not _care.inside and not _care.allows(source):
        _care.refused.add(source)
        raise ValueError("it would take too long to read")
    return ast.parse(source)


@functools.lru_cache(maxsize=512)
def nodes_of(source: str) -> list[ast.AST]:
    """All nodes of the source's tree; raises what `parsed` does."""
    nodes: list[ast.AST] = [parsed(source)]
    for node in nodes:
        nodes += inner_nodes(node)
    return nodes


def inner_nodes(node: ast.AST) -> list[ast.AST]:
    """The nodes right below one, in their order; not what says whether a name is read or set, which is no code."""
    nodes: list[ast.AST] = []
    for name in node._fields:
        value = getattr(node, name, None)
        if isinstance(value, list):
            nodes += [one for one in value if isinstance(one, ast.AST)]
        elif isinstance(value, ast.AST) and not isinstance(value, ast.expr_context):
            nodes.append(value)
    return nodes


# ---- care --------------------------------------------------------------------------------------------

PARSE_S = 1  # of processor time, for one source
CAREFUL_LINES = 2000  # of one source: what is told of its names takes time that grows faster than its length
CAREFUL_CHARACTERS = 1 << 20  # of all sources together


class Care:
    """For text on which reading has taken too long: which sources can be parsed, found out in processes that may end.

    Args:
        limit_s: processor time that all of them may take together.
    """

    def __init__(self, limit_s: float) -> None:
        self.left_s = limit_s
        self.inside = False  # a source that was allowed, whose parts are looked at
        self.characters = CAREFUL_CHARACTERS
        self.refused: set[str] = set()

    def allows(self, source: str) -> bool:
        """Whether a source can be parsed in its time, and there is time left for it."""
        self.characters -= len(source)
        if self.left_s <= 0 or self.characters < 0 or source.count("\n") > CAREFUL_LINES:
            return False
        child = os.fork()
        if child == 0:
            code = 1
            try:
                usage = resource.getrusage(resource.RUSAGE_SELF)
                limit = int(usage.ru_utime + usage.ru_stime) + PARSE_S + 1
                resource.setrlimit(resource.RLIMIT_CPU, (limit, limit))
                ast.parse(source)
                code = 0
            except (SyntaxError, ValueError, RecursionError, MemoryError):
                code = 0  # it is told in its time that it is no Python
            finally:
                os._exit(code)
        _, status, usage = os.wait4(child, 0)
        self.left_s -= usage.ru_utime + usage.ru_stime
        return status == 0


_care: Care | None = None


def is_untold(source: str) -> bool:
    """Whether a source was not parsed for the time that it would take: it may be Python for all that is known."""
    return _care is not None and source in _care.refused


@contextlib.contextmanager
def within() -> Iterator[None]:
    """For parts of a source that has been parsed."""
    if _care is None or _care.inside:
        yield
        return
    _care.inside = True
    try:
        yield
    finally:
        _care.inside = False


def be_careful(limit_s: float) -> None:
    """From here on, in this process, parse nothing that would take too long."""
    global _care
    parsed.cache_clear()
    nodes_of.cache_clear()
    _care = Care(limit_s)
