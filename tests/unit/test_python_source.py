"""The text of a cell."""

from __future__ import annotations

import ast
import gc
from typing import Any

from tito.course.python_source import parsed


def test_a_finalizer_that_reads_python_itself_fails_no_parsing() -> None:
    """CPython before 3.12 raises SystemError there: python/cpython#106905."""
    ran = []

    def finalizer(phase: str, _: dict[str, Any]) -> None:
        if phase == "start" and not ran:
            ran.append(ast.parse("x"))

    threshold = gc.get_threshold()
    gc.callbacks.append(finalizer)
    gc.set_threshold(100)
    try:
        tree = parsed("x = 1\n" * 2000)
    finally:
        gc.set_threshold(*threshold)
        gc.callbacks.remove(finalizer)
    assert ran and len(tree.body) == 2000
