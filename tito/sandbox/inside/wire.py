"""What may cross beside plain values when a test's own code runs elsewhere: references, and more kinds of values.

`codec` carries plain values and turns subclasses into their base types. A test that asks about a notebook's objects
also needs to name objects that stay where they are, and the standard library's own kinds of values as what they are.

    Handle    an object of the notebook that stays there, with what its class is like
    Callback  a function, a mock or an object of the test's own, which stays in the judge
    Known     a class or function that both sides import by its name
    Alias     one of the arguments of the call that is answered
    Draws     a random generator, by what it will draw

This module runs in the grader, in the judge and beside student code. Receivers take what is sent for hostile: a frame
gives plain values and these records, or a `CodecError`. Which class a Known from a notebook may name is told here.
"""

from __future__ import annotations

import builtins
import datetime
import random
import types
from collections import Counter, OrderedDict, defaultdict, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction
from pathlib import Path, PosixPath, PurePath, PurePosixPath
from typing import Any

import numpy as np

from tito.sandbox.inside.codec import MAX_ITEMS, CodecError, Encoder

PLAIN = (int, float, complex, str, bytes, bytearray, list, tuple, set, frozenset, dict, np.ndarray, np.generic)
VIEWS = {type({}.keys()): "keys", type({}.values()): "values", type({}.items()): "items"}
MUTABLE = (list, dict, set, bytearray, deque, OrderedDict, Counter, defaultdict, np.ndarray)
PATHS = (PurePath, PurePosixPath, Path, PosixPath)  # of Python's own, by their text
DATES = (datetime.date, datetime.datetime, datetime.time, datetime.timedelta)
# Classes that stand for themselves on both sides: no student code is in them.
SHARED_TYPES = {
    f"{cls.__module__}.{cls.__qualname__}": cls
    for cls in (
        *(cls for cls in vars(builtins).values() if isinstance(cls, type)),
        *(cls for cls in vars(np).values() if isinstance(cls, type) and issubclass(cls, np.generic | np.ndarray)),
        *(Counter, OrderedDict, defaultdict, deque, Decimal, Fraction, np.dtype, *DATES),
        *PATHS,
        types.NoneType,
    )
}
# What an object may do by Python's own syntax, but for what every object can (be compared, hashed, printed).
ARITHMETIC = (
    *("add", "sub", "mul", "matmul", "truediv", "floordiv", "mod", "divmod", "pow"),
    *("lshift", "rshift", "and", "xor", "or"),
)
PROTOCOLS = tuple(
    f"__{name}__"
    for name in (
        *("call", "iter", "next", "len", "getitem", "setitem", "delitem", "contains", "reversed", "enter", "exit"),
        *("bool", "int", "float", "complex", "index", "round", "abs", "neg", "pos", "invert", "lt", "le", "gt", "ge"),
        *(f"{prefix}{name}" for prefix in ("", "r", "i") for name in ARITHMETIC if (prefix, name) != ("i", "divmod")),
    )
)
LENT = (*PROTOCOLS, "__eq__", "__str__", "__repr__")  # the same of what a test has in the judge
# Classes of Python's own machinery, of which a notebook's objects may say that they are instances.
MACHINERY = {
    cls.__name__: cls
    for cls in (
        *(types.FunctionType, types.BuiltinFunctionType, types.MethodType, types.ModuleType, types.CodeType),
        *(types.GeneratorType, types.CoroutineType, types.MappingProxyType, map, filter, zip, enumerate, reversed),
    )
}


@dataclass(frozen=True)
class Handle:
    """An object of the notebook by its number; `kind` is what its class is like (JSON, see `objects`)."""

    number: int
    kind: dict[str, Any] = field(default_factory=dict, compare=False)


@dataclass(frozen=True)
class Callback:
    """A function of the test by its number; or an object, with which more can be done than to call it: the bits of
    `protocols` tell which of `LENT` it has."""

    number: int
    protocols: int = 0


@dataclass(frozen=True)
class Known:
    """A class or function by its module and its name in it."""

    module: str
    name: str


@dataclass(frozen=True)
class Alias:
    """The argument of that position itself."""

    position: int


@dataclass(frozen=True)
class Iterator:
    """An iterator, by what it will give."""

    items: list[Any]


@dataclass(frozen=True)
class Draws:
    """A random generator by its class, numpy's source of its bits if it has one, and its state."""

    kind: str
    bits: str
    state: Any


class WireEncoder(Encoder):
    """Encodes what `codec` does, exactly; more kinds of values; and references, which `refer` gives.

    Args:
        refer: a reference to an object that is no plain value. Raises CodecError where there can be none.
        keep: refer to objects of subclasses of plain types too, instead of sending them as their base type.
        aliases: positions of arguments by the identity of the object.
    """

    def __init__(self, refer: Callable[[Any], Any], keep: bool = False, aliases: dict[int, int] | None = None) -> None:
        super().__init__()
        self.refer = refer
        self.keep = keep
        self.aliases = aliases or {}

    def encode(self, value: Any, depth: int = 0) -> Any:
        kind = type(value)
        if id(value) in self.aliases:
            return {"t": "alias", "v": [self.aliases[id(value)]]}
        if kind in RECORDS:
            return {"t": RECORDS[kind], "v": list(vars(value).values())}
        encode = OTHERS.get(kind) or (VIEW if kind in VIEWS else None)
        if encode is not None:
            return encode(self, value, depth + 1)
        if kind is np.ndarray and value.dtype.kind == "O":
            items = {"shape": list(value.shape), "v": [self.encode(item, depth + 1) for item in value.ravel().tolist()]}
            return {"t": "objects"} | items
        if kind in PLAIN or value is None or kind is bool or isinstance(value, np.generic):
            return super().encode(value, depth)
        if isinstance(value, PLAIN) and not self.keep:
            return super().encode(value, depth)
        if isinstance(value, type) and SHARED_TYPES.get(f"{value.__module__}.{value.__qualname__}") is value:
            return {"t": "known", "v": [value.__module__, value.__qualname__]}
        return self.encode(self.refer(value), depth)


def _pair(tag: str, parts: Callable[[Any], Any]) -> Callable[[WireEncoder, Any, int], Any]:
    return lambda encoder, value, depth: {"t": tag, "v": encoder.encode(parts(value), depth)}


GENERATORS = (np.random.Generator, np.random.RandomState, random.Random)
BITS = {bits.__name__: bits for bits in (np.random.MT19937, np.random.PCG64, np.random.PCG64DXSM, np.random.SFC64)}


def draws_of(value: Any) -> Draws | None:
    """A random generator as it crosses; None for all else."""
    kind = type(value)
    if kind is random.Random:
        return Draws(kind.__name__, "", value.getstate())
    if kind is np.random.RandomState:
        return Draws(kind.__name__, "", value.get_state(legacy=True))
    if kind is np.random.Generator and type(value.bit_generator).__name__ in BITS:
        return Draws(kind.__name__, type(value.bit_generator).__name__, value.bit_generator.state)
    return None


def generator_of(draws: Draws) -> Any:
    """The generator that will draw that.

    Raises:
        CodecError: there is none.
    """
    try:
        generator = _empty_generator(draws)
        set_draws(generator, draws)
    except (TypeError, ValueError, KeyError, LookupError, OverflowError, AttributeError) as error:
        raise CodecError("no random generator") from error
    return generator


def _empty_generator(draws: Draws) -> Any:
    if draws.kind == np.random.Generator.__name__:
        return np.random.Generator(BITS[draws.bits](0))
    return {"RandomState": np.random.RandomState, "Random": random.Random}[draws.kind](0)


def set_draws(generator: Any, draws: Draws) -> None:
    """Have a generator go on as another of its kind would.

    Raises:
        ValueError: its place is outside of its numbers. numpy takes that, and draws from whatever memory lies there.
    """
    if type(generator) is random.Random:
        generator.setstate(draws.state)
        return
    if type(generator) is np.random.RandomState:
        generator.set_state(draws.state)
        state = generator.get_state(legacy=False)["state"]
    else:
        generator.bit_generator.state = draws.state
        state = generator.bit_generator.state["state"]
    if "pos" in state and not 0 <= state["pos"] <= len(state["key"]):
        raise ValueError("a random generator's place is outside of its numbers")


RECORDS: dict[type, str] = {Handle: "handle", Callback: "callback", Known: "known", Alias: "alias"}
VIEW = _pair("view", lambda value: [VIEWS[type(value)], list(value)])
OTHERS: dict[type, Callable[[WireEncoder, Any, int], Any]] = {
    frozenset: _pair("frozenset", list),
    bytearray: _pair("bytearray", bytes),
    range: _pair("range", lambda value: [value.start, value.stop, value.step]),
    slice: _pair("slice", lambda value: [value.start, value.stop, value.step]),
    type(Ellipsis): _pair("ellipsis", lambda value: None),
    OrderedDict: _pair("ordered", dict),
    Counter: _pair("counter", dict),
    defaultdict: _pair("default", lambda value: [value.default_factory, dict(value)]),
    Iterator: _pair("iterator", lambda value: value.items),
    Draws: _pair("draws", lambda value: [value.kind, value.bits, value.state]),
    deque: _pair("deque", lambda value: [list(value), value.maxlen]),
    Fraction: _pair("fraction", lambda value: [value.numerator, value.denominator]),
    Decimal: _pair("decimal", str),
    datetime.timedelta: _pair("timedelta", lambda value: [value.days, value.seconds, value.microseconds]),
    datetime.date: _pair("date", lambda value: value.isoformat()),
    datetime.datetime: _pair("datetime", lambda value: value.isoformat()),
    datetime.time: _pair("time", lambda value: value.isoformat()),
    PosixPath: _pair("path", str),
    PurePosixPath: _pair("pure path", str),
}


def more(tag: str, value: dict[str, Any], inner: Callable[[Any], Any]) -> Any:
    """Decode the tags that `WireEncoder` has beside those of `codec`."""
    if tag == "objects":
        return _object_array(value, inner)
    content = value["v"]
    if tag == "alias":
        return Alias(int(content[0]))
    if tag == "callback":
        return Callback(int(content[0]), int(content[1]))
    if tag == "handle":
        return Handle(int(content[0]), dict(content[1]))
    if tag == "known":
        return Known(str(content[0]), str(content[1]))
    make = MAKERS[tag]
    try:
        return make(inner(content))
    except (ArithmeticError, AttributeError) as error:
        raise CodecError("no value") from error


def _object_array(value: dict[str, Any], inner: Callable[[Any], Any]) -> Any:
    shape = tuple(int(length) for length in value["shape"])
    content = value["v"]
    if type(content) is not list or len(content) > MAX_ITEMS:
        raise CodecError("no list of values")
    array = np.empty(len(content), dtype=object)
    array[:] = [inner(item) for item in content]
    return array.reshape(shape)


def _of(kind: type, make: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Make something of a value that is exactly of that kind. A range that stands where a list should would be made
    into as many values as it names."""

    def checked(content: Any) -> Any:
        if type(content) is not kind:
            raise CodecError("no value")
        return make(content)

    return checked


def _whole(*numbers: Any) -> tuple[Any, ...]:
    """Whole numbers, and None."""
    if not all(number is None or type(number) is int for number in numbers):
        raise CodecError("no value")
    return numbers


def _view(parts: list[Any]) -> Any:
    name, items = parts
    if type(items) is not list:
        raise CodecError("no value")
    content = dict(items) if name == "items" else dict.fromkeys(items) if name == "keys" else dict(enumerate(items))
    return getattr(content, {"keys": "keys", "values": "values", "items": "items"}[name])()


def _deque(parts: list[Any]) -> Any:
    items, length = parts
    if type(items) is not list:
        raise CodecError("no value")
    return deque(items, *_whole(length))


def _default(parts: list[Any]) -> Any:
    named, items = parts
    if type(items) is not dict:
        raise CodecError("no value")
    return defaultdict(factory_of(named), items)


MAKERS: dict[str, Callable[[Any], Any]] = {
    "view": _of(list, _view),
    "frozenset": _of(list, frozenset),
    "bytearray": _of(bytes, bytearray),
    "range": _of(list, lambda parts: range(*_whole(*parts))),
    "slice": _of(list, lambda parts: slice(*parts)),
    "ellipsis": lambda _: Ellipsis,
    "iterator": _of(list, Iterator),
    "draws": _of(list, lambda parts: Draws(*parts)),
    "ordered": _of(dict, OrderedDict),
    "counter": _of(dict, Counter),
    "default": _of(list, _default),
    "deque": _of(list, _deque),
    "fraction": _of(list, lambda parts: Fraction(*_whole(*parts))),
    "decimal": _of(str, Decimal),
    "timedelta": _of(list, lambda parts: datetime.timedelta(*_whole(*parts))),
    "date": _of(str, datetime.date.fromisoformat),
    "datetime": _of(str, datetime.datetime.fromisoformat),
    "time": _of(str, datetime.time.fromisoformat),
    "path": _of(str, PosixPath),
    "pure path": _of(str, PurePosixPath),
}


def factory_of(named: Any) -> Callable[[], Any] | None:
    """A defaultdict's factory, where it is a class that both sides have."""
    factory: Callable[[], Any] | None = shared_type(named) if isinstance(named, Known) else None
    return factory


def shared_type(named: Known) -> Any:
    """The class that a notebook names.

    Raises:
        CodecError: it is not one that a notebook may name.
    """
    cls = SHARED_TYPES.get(f"{named.module}.{named.name}")
    if cls is None:
        raise CodecError("no class that both sides share")
    return cls


def no_reference(value: Any) -> Any:
    """For who passes on what crosses, and has no objects to refer to."""
    raise CodecError(f"a {type(value).__name__} cannot cross")
