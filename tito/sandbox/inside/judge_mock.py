"""What stands beside student code for a mock that a test has in the judge: what is done with it is done there.

So the judge's own mock answers as the test wants it to, and counts for itself what it was called with.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

# What is done with a mock by Python's own syntax; attributes and calls are written out below.
ASKED = ("enter", "exit", "iter", "next", "len", "getitem", "setitem", "contains", "bool", "int", "float", "str")


class JudgeMock:
    """Asks the judge.

    Args:
        ask: has an operation done, which is named as Python's method for it is, with arguments and keywords.
    """

    def __init__(self, ask: Callable[[str, tuple[Any, ...], dict[str, Any]], Any]) -> None:
        object.__setattr__(self, "_ask", ask)

    def __call__(self, *arguments: Any, **keywords: Any) -> Any:
        return self._ask("__call__", arguments, keywords)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        return self._ask("__getattr__", (name,), {})

    def __setattr__(self, name: str, value: Any) -> None:
        self._ask("__setattr__", (name, value), {})


def _asked(name: str) -> Callable[..., Any]:
    def method(self: JudgeMock, *arguments: Any) -> Any:
        passed = () if name == "__exit__" else arguments  # what was raised goes on, whatever the judge makes of it
        return self._ask(name, passed, {})

    return method


for _name in ASKED:
    setattr(JudgeMock, f"__{_name}__", _asked(f"__{_name}__"))
