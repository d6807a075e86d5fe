# module: 00_notebook
"""What notebooks of modules and their tests share, given: pictures where they can be drawn, refusals, and stand-ins."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from types import ModuleType
from typing import Any


def pyplot() -> ModuleType | None:
    """matplotlib's pyplot, or None where it is not installed: nothing but pictures needs it.

    Example:
        >>> plt = pyplot()
        >>> if plt:
        ...     figure, axis = plt.subplots()
    """
    try:
        import matplotlib.pyplot as plt
    except ImportError:
        print("(no picture: matplotlib is not installed)")  # noqa: T201  (a notebook shows it)
        return None
    return plt


def refusal(call: Callable[..., Any], *arguments: Any) -> str:
    """Which kind of error a call raises, by its name. Every kind of ValueError counts as one, whatever its own name.

    Example:
        >>> refusal(int, "three"), refusal(int, None), refusal(int, "3")
        ('ValueError', 'TypeError', 'no error')
    """
    try:
        call(*arguments)
    except ValueError:
        return "ValueError"
    except Exception as error:  # noqa: BLE001  (whatever it was: the test says so, and goes on)
        return type(error).__name__
    return "no error"


def stand_ins(**parts: Any) -> AbstractContextManager[None]:
    """Parts by name, in the place of the caller's own as long as the block runs.

    Exercises build on each other. A test that brings right answers of the earlier ones along judges its own alone.

    Example:
        >>> def double(x):
        ...     return x + x + 1
        >>> def quadruple(x):
        ...     return double(double(x))
        >>> with stand_ins(double=lambda x: 2 * x):
        ...     quadruple(3)
        12
        >>> quadruple(3)
        15
    """
    return _replaced(sys._getframe(1).f_globals, parts)


@contextmanager
def _replaced(namespace: dict[str, Any], parts: dict[str, Any]) -> Iterator[None]:
    own = {name: namespace[name] for name in parts if name in namespace}
    namespace.update(parts)
    try:
        yield
    finally:
        for name in parts:
            namespace.pop(name, None)
        namespace.update(own)
