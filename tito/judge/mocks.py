"""Mocks of a test that runs in the judge: what student code may do with one, which is lent to it (see `lent`); and what
a test patches is patched in the notebook, too.

Student code may use a mock, and not set what it answers or has counted.
"""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable
from types import ModuleType
from typing import Any, Protocol

from tito.judge.proxy import NotebookOperations

MODULE = "unittest.mock"
CHANNEL = "tito_channel"  # whose notebook is patched


class NotebookNames(Protocol):
    """The names of a test, and of the notebook."""

    mirrored: frozenset[str]  # the notebook is told when these are set

    def __getitem__(self, name: str) -> Any: ...

    def __setitem__(self, name: str, value: Any) -> None: ...

    def __delitem__(self, name: str) -> None: ...


def is_mock(value: Any) -> bool:
    """Whether it is one."""
    mock = sys.modules.get(MODULE)
    return mock is not None and issubclass(type(value), mock.NonCallableMock)


def _attribute(mock: Any, name: str) -> Any:
    return getattr(mock, _of_student(name))


def _set_attribute(mock: Any, name: str, value: Any) -> None:
    setattr(mock, _of_student(name), value)


def _of_student(name: str) -> str:
    """The name of an attribute, if it is one that student code may touch: none that says what a mock answers, or has
    been asked."""
    mock = sys.modules[MODULE]
    if type(name) is not str or name.startswith("_") or name in {*dir(mock.MagicMock), *dir(mock.AsyncMock)}:
        raise AttributeError(name)
    return name


OPERATIONS: dict[str, Callable[..., Any]] = {
    "__getattr__": _attribute,
    "__setattr__": _set_attribute,
    "__enter__": lambda mock: mock.__enter__(),
    "__exit__": lambda mock: bool(mock.__exit__(None, None, None)),
    "__getitem__": lambda mock, key: mock[key],
    "__setitem__": lambda mock, key, value: mock.__setitem__(key, value),
    "__contains__": lambda mock, item: item in mock,
    **{f"__{function.__name__}__": function for function in (iter, next, len, bool, int, float, str)},
}


class Main(ModuleType):
    """`__main__`, as a test patches it: names of the test, and of the notebook, which is told of all that is set."""

    def __init__(self, channel: NotebookOperations, names: NotebookNames) -> None:
        super().__init__("__main__")
        self.__dict__["__names__"] = names
        self.__dict__["__channel__"] = channel

    def __getattr__(self, name: str) -> Any:
        try:
            return self.__dict__["__names__"][name]
        except KeyError:
            raise AttributeError(name) from None

    def __setattr__(self, name: str, value: Any) -> None:
        names = self.__dict__["__names__"]
        names[name] = value
        if name not in names.mirrored:
            self.__dict__["__channel__"].ask("set name", arguments=(value,), name=name)

    def __delattr__(self, name: str) -> None:
        names = self.__dict__["__names__"]
        del names[name]
        if name not in names.mirrored:
            self.__dict__["__channel__"].ask("delete name", name=name)


def patch_the_notebook_too(channel: NotebookOperations, names: NotebookNames) -> None:
    """From now on, what `patch` puts into a module here is put into the notebook's module of that name, and taken away
    there, too. What cannot cross (a stream of the test's) is put here alone."""
    mock = sys.modules.get(MODULE)
    if mock is None or mock._patch.__dict__.get(CHANNEL) is channel:
        return
    setattr(mock._patch, CHANNEL, channel)
    enter, leave = _original(mock, "__enter__"), _original(mock, "__exit__")
    before: dict[int, tuple[Any, str, Any]] = {}  # what stood in the notebook, by the patch

    def entered(patching: Any) -> Any:
        new = enter(patching)
        place = _place_of(patching.target)
        if place is not None:
            with contextlib.suppress(ImportError, AttributeError, TypeError):
                target = channel.ask("import", name=place[0])
                for part in place[1:]:
                    target = getattr(target, part)
                value = getattr(target, patching.attribute)
                setattr(target, patching.attribute, getattr(patching.target, patching.attribute))
                before[id(patching)] = target, patching.attribute, value
        return new

    def left(patching: Any, *raised: Any) -> Any:
        result = leave(patching, *raised)
        if id(patching) in before:
            setattr(*before.pop(id(patching)))
        return result

    mock._patch.__enter__, mock._patch.__exit__ = entered, left
    sys.modules["__main__"] = Main(channel, names)


def _original(mock: ModuleType, name: str) -> Callable[..., Any]:
    """A method of patches as Python has it, whatever an earlier run has put there."""
    method: Callable[..., Any] = mock._patch.__dict__.get(f"of_python{name}") or mock._patch.__dict__[name]
    setattr(mock._patch, f"of_python{name}", method)
    return method


def _place_of(target: Any) -> tuple[str, ...] | None:
    """The module of what is patched, and the names by which it is found in that; None: it is found in none."""
    if isinstance(target, ModuleType):
        return None if target.__name__ == "__main__" else (target.__name__,)
    module, name = getattr(target, "__module__", None), getattr(target, "__qualname__", None)
    if not (isinstance(target, type) and isinstance(module, str) and isinstance(name, str)) or module == "__main__":
        return None
    return None if "<locals>" in name else (module, *name.split("."))
