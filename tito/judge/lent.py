"""What a test lends to student code: its functions, its mocks, and objects of its own classes. They stay in the judge;
what student code does with one is done here, and counted here.

Names that begin with an underscore are the test's alone. Student code reads what has other names, calls it, and sets
attributes that were not there; others it sets, and copies an object, where the reference's did.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from types import FunctionType
from typing import Any

from tito.judge.mocks import OPERATIONS as OF_MOCKS
from tito.judge.mocks import is_mock
from tito.judge.proxy import RemoteType
from tito.sandbox.inside.objects import OPERATIONS
from tito.sandbox.inside.wire import LENT, PROTOCOLS

OWN = "__main__"  # the module of classes that are written in a test


def lent_protocols(value: Any) -> int | None:
    """What Python's syntax can do with something that may be lent, as bits of `LENT`: 0 for what is only called. None:
    it may not be."""
    if is_mock(value):
        return sum(1 << at for at, name in enumerate(LENT) if name in OF_MOCKS or name == "__call__")
    if _is_own(value):
        spaces = [vars(base) for base in type(value).__mro__ if base is not object]
        has = (name for name in LENT if any(space.get(name) is not None for space in spaces))
        return sum(1 << LENT.index(name) for name in {*has, "__eq__"})  # which every object has
    return 0 if callable(value) and not isinstance(value, type) else None


def _is_own(value: Any) -> bool:
    """Whether it is an object of a class of the test's. A function of the test's is only called."""
    kind = type(value)
    return kind.__module__ == OWN and not isinstance(kind, RemoteType) and not isinstance(value, FunctionType)


def done_with(
    value: Any, operation: str, arguments: list[Any], keywords: dict[str, Any], may: Callable[[str], bool]
) -> Any:
    """Do what student code does with something that is lent to it; `may` says whether the reference's did that.

    Raises:
        Exception: whatever that raises; AttributeError for what is not student code's to touch.
    """
    if operation == "__call__":
        return value(*arguments, **keywords)
    if is_mock(value) and operation in OF_MOCKS:
        return OF_MOCKS[operation](value, *arguments)
    if not _is_own(value) or is_mock(value) or operation not in OF_OBJECTS:
        raise TypeError(f"{operation} of what is the test's")
    if operation in ("__setattr__", "__copy__", "__deepcopy__"):
        name = arguments[0] if operation == "__setattr__" else ""
        is_new = operation == "__setattr__" and not hasattr(value, _public(name))
        if not may(f"{operation} {name}") and not is_new:
            raise AttributeError(f"{name or 'this object'} is the test's")
    return OF_OBJECTS[operation](value, *arguments)


def _public(name: Any) -> str:
    if type(name) is not str or name.startswith("_"):
        raise AttributeError(name)
    return name


OF_OBJECTS: dict[str, Callable[..., Any]] = {
    **{name: OPERATIONS[name] for name in (*PROTOCOLS, "__eq__", "__str__", "__repr__")},
    "__getattr__": lambda value, name: getattr(value, _public(name)),
    "__setattr__": lambda value, name, new: setattr(value, _public(name), new),
    "__exit__": lambda value: bool(type(value).__exit__(value, None, None, None)),
    "__copy__": copy.copy,
    "__deepcopy__": copy.deepcopy,
}
