"""What stands beside student code for an object that a test has in the judge: what is done with it is done there.

So a mock of the judge's answers as the test wants it to, an object of the test's own keeps its content, and both count
for themselves what was done with them.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from tito.sandbox.inside.wire import LENT


class JudgeProxy:
    """Asks the judge. What Python's own syntax does with it, `proxy_class` adds.

    Args:
        ask: has an operation done, which is named as Python's method for it is, with arguments and keywords.
    """

    def __init__(self, ask: Callable[[str, tuple[Any, ...], dict[str, Any]], Any]) -> None:
        object.__setattr__(self, "_ask", ask)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        return self._ask("__getattr__", (name,), {})

    def __setattr__(self, name: str, value: Any) -> None:
        self._ask("__setattr__", (name, value), {})

    def __copy__(self) -> Any:
        return self._ask("__copy__", (), {})

    def __deepcopy__(self, memo: Any) -> Any:
        return self._ask("__deepcopy__", (), {})


@functools.cache
def proxy_class(protocols: int) -> type[JudgeProxy]:
    """The class of what stands for objects that have these of `LENT`, as bits."""
    methods = {name: _asked(name) for at, name in enumerate(LENT) if protocols >> at & 1}
    if "__eq__" in methods:
        methods["__hash__"] = object.__hash__
    return type(JudgeProxy.__name__, (JudgeProxy,), methods)


def _asked(name: str) -> Callable[..., Any]:
    def method(self: JudgeProxy, *arguments: Any, **keywords: Any) -> Any:
        passed = () if name == "__exit__" else arguments  # what was raised goes on, whatever the judge makes of it
        return self._ask(name, passed, keywords)

    return method
