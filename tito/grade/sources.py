"""What is told of a piece of Python from its text alone is told once: most cells of a cohort are the same text, and so
are those of the next run."""

from __future__ import annotations

import ast
import functools
from collections.abc import Callable
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
        SyntaxError, ValueError, RecursionError, MemoryError: it is no Python, or too deeply nested.
    """
    return ast.parse(source)
