"""Proxies: what a test that runs in the judge holds in the place of objects of a notebook.

A proxy forwards what the test does with it: the notebook's process does it, beside student code, and a plain value,
another proxy or an exception comes back. What is compared with what the test expects is decided here, though:

* A plain value that comes back is of its plain base type: its `==` is Python's own.
* A proxy equals nothing but itself, and takes no operand of the test's. Else student code would be asked whether it
  equals what is expected, or be told that. Where the reference's object was asked at the same place of the test, a
  student's is too: there the author means to ask it (see `call_sites`).

Classes of a notebook have classes here that mirror their names and bases: `isinstance`, `type` and `except` work.
This module runs in the judge; `proxy_channel` is the way to the notebook that proxies ask by.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, Protocol

import numpy as np

from tito.sandbox.inside.wire import PROTOCOLS

# Protocols by which C code reads memory, or takes over: never asked of student code.
NEVER_ASKED = tuple(
    f"__{name}"
    for name in (
        *("array", "buffer", "release_buffer", "dlpack", "dataframe", "arrow", "cuda", "torch", "reduce"),
        *("getstate__", "setstate__", "getnewargs", "get__", "set__", "set_name__"),
    )
)


class NotebookOperations(Protocol):
    """The way to the notebook, as proxies need it."""

    def ask(
        self,
        what: str,
        number: int = -1,
        arguments: tuple[Any, ...] = (),
        keywords: dict[str, Any] | None = None,
        name: str = "",
    ) -> Any: ...

    def may(self, *operands: Any) -> bool: ...

    def may_call(self, number: int, *operands: Any) -> bool: ...

    def may_compare(self) -> bool: ...


class RemoteType(type):
    """A class of the notebook: mirrors its name and bases; all else that is done with it is forwarded."""

    _tito_channel: NotebookOperations
    _tito_number_of_class: int

    def __new__(cls, name: str, bases: tuple[type, ...], body: dict[str, Any]) -> RemoteType:
        if bases and "_tito_channel" not in body:
            raise TypeError("a class of the notebook cannot be inherited from where a test is judged")
        return super().__new__(cls, name, bases, body)

    def __call__(cls, *arguments: Any, **keywords: Any) -> Any:
        return _call(cls._tito_channel, cls._tito_number_of_class, arguments, keywords)

    def __getattr__(cls, name: str) -> Any:
        return _attribute(cls, cls._tito_channel if "_tito_channel" in vars(cls) else None, name)

    def __setattr__(cls, name: str, value: Any) -> None:
        cls._tito_channel.ask("__setattr__", cls._tito_number_of_class, (name, value))

    def __delattr__(cls, name: str) -> None:
        cls._tito_channel.ask("__delattr__", cls._tito_number_of_class, (name,))

    def __iter__(cls) -> Any:
        return cls._tito_channel.ask("__iter__", cls._tito_number_of_class)

    def __len__(cls) -> Any:
        return cls._tito_channel.ask("__len__", cls._tito_number_of_class)

    def __bool__(cls) -> bool:
        return True

    def __getitem__(cls, key: Any) -> Any:
        return cls._tito_channel.ask("__getitem__", cls._tito_number_of_class, (key,))

    def __contains__(cls, item: Any) -> Any:
        if isinstance(item, cls):
            return cls._tito_channel.ask("__contains__", cls._tito_number_of_class, (item,))
        return False


class Text:
    """`__doc__`, of an object or of its class."""

    def __get__(self, instance: Any, cls: Any) -> Any:
        number = cls._tito_number_of_class if instance is None else instance._tito_number
        return cls._tito_channel.ask("__getattr__", number, ("__doc__",))


class Proxy(metaclass=RemoteType):
    """An object of the notebook. Its class has those of Python's protocols that the object's own class has."""

    __slots__ = ("_tito_number",)
    _tito_channel: NotebookOperations
    _tito_number: int

    def __getattr__(self, name: str) -> Any:
        return _attribute(self, self._tito_channel, name)

    def __setattr__(self, name: str, value: Any) -> None:
        self._tito_channel.ask("__setattr__", self._tito_number, (name, value))

    def __delattr__(self, name: str) -> None:
        self._tito_channel.ask("__delattr__", self._tito_number, (name,))

    def __dir__(self) -> Any:
        return self._tito_channel.ask("__dir__", self._tito_number)

    def __eq__(self, other: object) -> Any:
        if self is other or not self._tito_channel.may_compare():
            return self is other
        return self._tito_channel.ask("__eq__", self._tito_number, (other,))

    def __ne__(self, other: object) -> Any:
        if self is other or not self._tito_channel.may_compare():
            return self is not other
        return self._tito_channel.ask("__ne__", self._tito_number, (other,))

    def __hash__(self) -> int:
        return self._tito_channel.ask("__hash__", self._tito_number)  # type: ignore[no-any-return]

    def __str__(self) -> str:
        return self._tito_channel.ask("__str__", self._tito_number)  # type: ignore[no-any-return]

    def __repr__(self) -> str:
        return self._tito_channel.ask("__repr__", self._tito_number)  # type: ignore[no-any-return]

    def __format__(self, spec: str) -> str:
        return self._tito_channel.ask("__format__", self._tito_number, (spec,))  # type: ignore[no-any-return]

    def __copy__(self) -> Any:
        return self._tito_channel.ask("__copy__", self._tito_number)

    def __deepcopy__(self, memo: Any) -> Any:
        return self._tito_channel.ask("__deepcopy__", self._tito_number)

    def __array__(self, dtype: Any = None, copy: Any = None) -> Any:
        array = self._tito_channel.ask("__array__", self._tito_number)
        if type(array) is not np.ndarray and not isinstance(array, np.generic):
            raise TypeError("this object is no array")
        return np.array(array, dtype)


def _attribute(owner: Any, channel: NotebookOperations | None, name: str) -> Any:
    if channel is None or name.startswith(("_tito", *NEVER_ASKED)):
        raise AttributeError(name)
    return channel.ask("__getattr__", number_of(owner), (name,))  # type: ignore[arg-type]


def _call(channel: NotebookOperations, number: int, arguments: tuple[Any, ...], keywords: dict[str, Any]) -> Any:
    if not channel.may_call(number, *arguments, *keywords.values()):
        raise TypeError("what your code returned is not of the kind that this test calls")
    return channel.ask("__call__", number, arguments, keywords)


def number_of(value: Any) -> int | None:
    """The number of the object that a proxy stands for, or None for all else."""
    if isinstance(value, RemoteType):
        return value._tito_number_of_class
    if isinstance(type(value), RemoteType):
        if isinstance(value, BaseException):
            number: int | None = value.__dict__.get("_tito_number")
            return number
        return object.__getattribute__(value, "_tito_number")  # type: ignore[no-any-return]
    return None


def _forwarded(name: str) -> Callable[..., Any]:
    """A method that only asks: what it hands over is not what a test expects."""

    def method(self: Proxy, *arguments: Any) -> Any:
        return self._tito_channel.ask(name, self._tito_number, arguments)

    return method


def _guarded(name: str) -> Callable[..., Any]:
    """An operator whose operand may be what the test expects: asked only where the reference's object was."""

    def method(self: Proxy, other: Any, *rest: Any) -> Any:
        if not self._tito_channel.may(other):
            return NotImplemented
        return self._tito_channel.ask(name, self._tito_number, (other, *rest))

    return method


def _contains(self: Proxy, item: Any) -> Any:
    """Whether it holds something: looked for here, one element after the other, unless the reference's was asked."""
    if self._tito_channel.may_compare():
        return self._tito_channel.ask("__contains__", self._tito_number, (item,))
    return any(item is element or item == element for element in self)  # type: ignore[attr-defined]


def _leave(self: Proxy, kind: Any, error: Any, trace: Any) -> Any:
    return self._tito_channel.ask("__exit__", self._tito_number, (None, None, None)) if kind is None else False


def _called(self: Proxy, *arguments: Any, **keywords: Any) -> Any:
    return _call(self._tito_channel, self._tito_number, arguments, keywords)


class SyntaxMethod:
    """A method that Python calls for its syntax. Asked for by name it is more: the notebook's attribute of that name,
    which has attributes of its own where the notebook's object is a mock."""

    __slots__ = ("function", "name")

    def __init__(self, name: str, function: Callable[..., Any]) -> None:
        self.name = name
        self.function = function

    def __get__(self, instance: Any, cls: Any = None) -> Any:
        return self if instance is None else BoundMethod(self, instance)


class BoundMethod:
    """Such a method of a proxy."""

    __slots__ = ("_instance", "_method")

    def __init__(self, method: SyntaxMethod, instance: Any) -> None:
        object.__setattr__(self, "_method", method)
        object.__setattr__(self, "_instance", instance)

    def __call__(self, *arguments: Any, **keywords: Any) -> Any:
        return self._method.function(self._instance, *arguments, **keywords)

    def _attribute(self) -> Any:
        return _attribute(self._instance, self._instance._tito_channel, self._method.name)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._attribute(), name)

    def __setattr__(self, name: str, value: Any) -> None:
        setattr(self._attribute(), name, value)


ASKED = "iter next len getitem setitem delitem reversed enter bool int float complex index round abs neg pos invert"
METHODS = {name: _guarded(name) for name in PROTOCOLS} | {
    f"__{name}__": _forwarded(f"__{name}__") for name in ASKED.split()
}
METHODS |= {"__contains__": _contains, "__exit__": _leave, "__call__": _called}
SYNTAX = {name: SyntaxMethod(name, method) for name, method in METHODS.items()}


def _error_attribute(self: Any, name: str) -> Any:
    if "_tito_number" not in self.__dict__:
        raise AttributeError(name)
    return _attribute(self, type(self)._tito_channel, name)


def _error_text(self: Any) -> str:
    if "_tito_text" in self.__dict__:
        return str(self.__dict__["_tito_text"])
    return str(type(self)._tito_channel.ask("__str__", self.__dict__["_tito_number"]))


def native_class(cls: type) -> type:
    """The class of Python's own that says how the memory of a mirrored class's objects is laid out."""
    return next(layout for layout in _layouts(cls) if not isinstance(layout, RemoteType))


def _layouts(cls: type | None) -> Iterator[type]:
    while cls is not None:
        yield cls
        cls = cls.__base__


def new_exception(cls: type, *arguments: Any) -> BaseException:
    """An exception of a mirrored class. Each kind of memory is made by the class that it is of: an OSError, a
    MemoryError or a group is refused by `BaseException.__new__`, and a group has to hold something."""
    native = native_class(cls)
    held = arguments or ("", [Exception()])
    exception: BaseException = native.__new__(cls, *(held if issubclass(native, BaseExceptionGroup) else ()))
    return exception


def native_attributes(bases: list[type]) -> dict[str, Any]:
    """Attributes that Python keeps in the memory of exceptions, as `errno`: the notebook is asked for them."""
    kinds = {kind for base in bases for kind in native_class(base).__mro__ if issubclass(kind, BaseException)}
    kinds -= {BaseException}
    names = {name for kind in kinds for name, value in vars(kind).items() if inspect.isdatadescriptor(value)}
    return {name: property(partial(_error_attribute, name=name)) for name in sorted(names)}


def _error_arguments(self: Any) -> Any:
    """Those that came with it when it was raised; of one that the notebook has only handed over, its own."""
    if "_tito_text" in self.__dict__:
        return OWN_ARGUMENTS.__get__(self)
    return _error_attribute(self, "args")


OWN_ARGUMENTS = vars(BaseException)["args"]
EXCEPTION: dict[str, Any] = {
    "__getattr__": _error_attribute,
    "__str__": _error_text,
    "args": property(_error_arguments, OWN_ARGUMENTS.__set__),
}
