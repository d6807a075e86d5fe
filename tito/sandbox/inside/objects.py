"""The notebook's side of a test whose code runs in the judge: does with the notebook's objects what the test asks.

It stands beside student code, so nothing that it says is trusted. A request is one operation: look up a name, get an
attribute, call, index, add. The answer is a plain value, a handle to an object that stays here, or what was raised.

A handle says of its class: `n`, its number; `name`; `has`, bits telling which of `PROTOCOLS` its objects have; `bases`;
and in the place of a class of Python's own `known` or `machinery`. Said once; later the number says all.
"""

from __future__ import annotations

import builtins
import copy
import importlib
import json
import operator
import random
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from tito.sandbox.inside.codec import Channel, CodecError
from tito.sandbox.inside.judge_proxy import proxy_class
from tito.sandbox.inside.mirrored_files import MirroredFiles
from tito.sandbox.inside.step_status import StepStatus
from tito.sandbox.inside.wire import (
    ARITHMETIC,
    MACHINERY,
    MUTABLE,
    PROTOCOLS,
    Callback,
    Draws,
    Handle,
    Iterator,
    Known,
    WireEncoder,
    draws_of,
    generator_of,
)

MISSING = object()
LOOK_LIMIT_S = 5.0  # for turning what came of an operation into what can cross
SCALARS = (type(None), bool, int, float, str)  # what is no work to look at
MOST_PRINTED = 64 << 10  # characters of output that one operation sends along


def _named(*names: str) -> dict[str, Callable[..., Any]]:
    """Functions of `operator` by the method that they stand for."""
    return {f"__{name}__": getattr(operator, {"and": "and_", "or": "or_"}.get(name, name)) for name in names}


def _swapped(function: Callable[..., Any]) -> Callable[..., Any]:
    return lambda target, other: function(other, target)


INFIX = _named(*(name for name in ARITHMETIC if name != "divmod"))
OPERATIONS: dict[str, Callable[..., Any]] = {
    "__call__": lambda target, *arguments, **keywords: target(*arguments, **keywords),
    "__getattr__": getattr,
    "__setattr__": setattr,
    "__delattr__": delattr,
    "__dir__": lambda target: [str(name) for name in dir(target)],
    "__array__": lambda target: np.asarray(target),
    "__deepcopy__": copy.deepcopy,
    "__copy__": copy.copy,
    "__exit__": lambda target, *error: type(target).__exit__(target, *error),
    "__enter__": lambda target: type(target).__enter__(target),
    "__divmod__": divmod,
    "__rdivmod__": _swapped(divmod),
    **{
        f"__{function.__name__}__": function
        for function in (iter, next, len, reversed, bool, int, float, complex, round, abs)
    },
    **{f"__{function.__name__}__": function for function in (str, repr, format, hash)},
    **_named("index", "neg", "pos", "invert", "lt", "le", "gt", "ge", "eq", "ne"),
    **_named("getitem", "setitem", "delitem", "contains"),
    **INFIX,
    **{f"__r{name[2:]}": _swapped(function) for name, function in INFIX.items()},
    **_named(*(f"i{name}" for name in ARITHMETIC if name != "divmod")),
}


class Objects:
    """The notebook's objects that a test was handed, by number, and the operations on them.

    Args:
        limit: makes the context that stops an operation at its time limit.
        timeout: what is raised in it then.
    """

    def __init__(
        self, shell: Any, limit: Callable[[float], AbstractContextManager[None]], timeout: type[BaseException]
    ) -> None:
        self.shell = shell
        self.limit = limit
        self.timeout = timeout
        self.objects: list[Any] = []
        self.numbers: dict[int, int] = {}
        self.described: set[int] = set()
        self.callbacks: dict[int, Any] = {}
        self.looked_up: dict[str, Any] = {}  # what names stood for that the test has asked for
        self.token = ""
        self.depth = 0  # operations that wait for a function of the test's
        self.files = MirroredFiles(str(Path.cwd()))
        self.mirrors = False  # whether the judge's folder is kept like this one

    # ---- operations ------------------------------------------------------------------------------

    def answer(self, channel: Channel, request: dict[str, Any], values: dict[str, Any]) -> None:
        """Do what is asked and send what came of it."""
        self.token = request["token"]
        self.channel = channel
        self.shell.outputs.reset()
        keep, passed, before = request["keep"], [], []
        try:
            self._bring_in_files(request, values)
            _draw_from(values.pop("numpy_random", None), values.pop("random", None))
            values = {name: self.revive(value) for name, value in values.items()}
            passed = [*values.get("arguments", []), *values.get("keywords", {}).values()]
            before = [self._encoded(argument) for argument in passed]
            with self._limited(request["limit_s"]):
                result = self._do(request, values)
        except BaseException as error:  # noqa: BLE001  (whatever student code raises, or the time limit)
            reply, back = self._raised(error), {"error": error, "arguments": _arguments(error)}
        else:
            reply = {"status": "missing" if result is MISSING else "value"}
            back = {"value": None if result is MISSING else result}
        left = [
            [at, draws_of(argument) or argument]
            for at, argument in enumerate(passed[: len(before)])
            if self._encoded(argument) != before[at]
        ]
        aliases = {id(argument): at for at, argument in enumerate(passed) if type(argument) in MUTABLE}
        self._send(reply, back, left, keep, aliases)

    def _bring_in_files(self, request: dict[str, Any], values: dict[str, Any]) -> None:
        """Do to the notebook's folder what the test has done to the judge's."""
        self.mirrors = request.get("mirrors", False)
        if "listing" in request:
            self.files.start(request["listing"])
        self.files.apply(values.pop("files", {}))

    def _changed_files(self) -> dict[str, Any]:
        """What student code has done to the notebook's, as a value that crosses."""
        return {"files": self.files.changes()} if self.mirrors else {}

    def _limited(self, limit_s: float) -> AbstractContextManager[None]:
        """Stops at the time limit; what a function of the test's asks meanwhile is limited by what called that."""
        return nullcontext() if self.depth else self.limit(limit_s)

    def _do(self, request: dict[str, Any], values: dict[str, Any]) -> Any:
        what, names = request["what"], self.shell.user_ns
        if what == "files":
            return None
        if what == "name":
            return self._look_up(request["name"])
        if what == "import":
            return importlib.import_module(request["name"])
        if what == "set name":
            names[request["name"]] = values["arguments"][0]
            return None
        if what == "delete name":
            return None if names.pop(request["name"], MISSING) is not MISSING else MISSING
        target = self.objects[request["number"]]
        return OPERATIONS[what](target, *values["arguments"], **values.get("keywords", {}))

    def _look_up(self, name: str) -> Any:
        value = self.shell.user_ns.get(name, MISSING)
        if value is not MISSING:
            self.looked_up[name] = value
        return value

    def _rebound(self) -> list[str]:
        """Names that stand for something else since the test was told: it does not ask for the others again."""
        names = self.shell.user_ns
        rebound = [name for name, value in self.looked_up.items() if names.get(name, MISSING) is not value]
        for name in rebound:
            del self.looked_up[name]
        return rebound

    def _send(
        self, reply: dict[str, Any], values: dict[str, Any], left: list[Any], keep: bool, aliases: dict[int, int]
    ) -> None:
        """Send an answer; a value that is too large to cross stays here, and a handle to it crosses."""
        about = {"token": self.token, "said": self._printed(), "rebound": self._rebound()}
        files = self._changed_files()
        for large in (False, True):
            encoder = WireEncoder(self.refer, keep, aliases)
            try:
                with nullcontext() if not left and _are_plain(values) else self._limited(LOOK_LIMIT_S):
                    sent = {name: self.refer(value) if large else value for name, value in values.items()}
                    for name, value in sent.items():
                        encoder.put(name, value)
                    encoder.aliases = {}
                    encoder.put("left", [] if large else left)
                    for name, changes in files.items():
                        encoder.put(name, changes)
                self.channel.send_packed(reply | about, encoder.packed())
                return
            except CodecError:
                self.described.clear()
            except ConnectionError:
                raise
            except BaseException as error:  # noqa: BLE001  (a student's own class may raise anything when looked at)
                reply, values, left = self._raised(error), {"error": None, "arguments": []}, []
        raise CodecError("an answer that cannot cross")

    def _raised(self, error: BaseException) -> dict[str, Any]:
        kind, status = type(error), StepStatus.STOPPED if isinstance(error, self.timeout) else "raised"
        return {"status": status, "name": str(kind.__name__), "known": _is_pythons(kind), "text": _text(error)}

    def _printed(self) -> list[list[str]]:
        streams = [output for output in self.shell.outputs.items if output.get("output_type") == "stream"]
        return [[str(stream["name"]), str(stream["text"])[:MOST_PRINTED]] for stream in streams]

    def _encoded(self, value: Any) -> tuple[str, bytes]:
        """The content of an argument that can be changed in place, to be compared."""
        draws = draws_of(value)
        if draws is None and type(value) not in MUTABLE:
            return "", b""
        encoder = WireEncoder(lambda target: Handle(self.number(target)))
        try:
            return json.dumps(encoder.encode(draws or value)), b"".join(encoder.blobs)
        except CodecError:
            return "", b""

    # ---- functions of the test -------------------------------------------------------------------

    def callback(self, number: int, protocols: int) -> Any:
        """A function that runs one of the test's, or what stands for an object of the test's, where the test is."""
        if number not in self.callbacks:

            def function(*arguments: Any, **keywords: Any) -> Any:
                return self._call_back(number, "__call__", arguments, keywords)

            ask = partial(self._call_back, number)
            self.callbacks[number] = proxy_class(protocols)(ask) if protocols else function
        return self.callbacks[number]

    def _call_back(self, number: int, operation: str, arguments: tuple[Any, ...], keywords: dict[str, Any]) -> Any:
        encoder = WireEncoder(self.refer)
        encoder.put("arguments", list(arguments))
        encoder.put("keywords", keywords)
        for name, changes in self._changed_files().items():  # last: what cannot cross would take them along
            encoder.put(name, changes)
        reply = {"token": self.token, "status": "callback", "number": number, "operation": operation}
        reply |= {"said": self._printed(), "rebound": self._rebound()}
        self.channel.send_packed(reply, encoder.packed())
        self.depth += 1
        try:
            while True:
                request, values = self.channel.receive()
                if request["what"] in ("return", "raise"):
                    self._bring_in_files(request, values)
                if request["what"] == "return":
                    self.token = request["token"]
                    return self.revive(values["value"])
                if request["what"] == "raise":
                    self.token = request["token"]
                    raise _error(request, *(self.revive(values[name]) for name in ("error", "arguments", "state")))
                self.answer(self.channel, request, values)
        finally:
            self.depth -= 1

    # ---- references ------------------------------------------------------------------------------

    def number(self, value: Any) -> int:
        """The number of an object, which then lives as long as this process."""
        if id(value) not in self.numbers:
            self.numbers[id(value)] = len(self.objects)
            self.objects.append(value)
        return self.numbers[id(value)]

    def refer(self, value: Any) -> Any:
        """What names an object of the notebook to the test."""
        for number, function in self.callbacks.items():
            if function is value:
                return Callback(number)
        if isinstance(value, type):
            return Handle(self.number(value), {"is": self._class(value)})
        return Handle(self.number(value), {"class": self._class(type(value))})

    def _class(self, cls: type) -> dict[str, Any]:
        number = self.number(cls)
        if number in self.described:
            return {"n": number}
        self.described.add(number)
        kind = {"n": number, "name": str(cls.__name__)[:200], "has": _protocols(cls), "of": str(cls.__module__)[:200]}
        if MACHINERY.get(cls.__name__) is cls:
            return kind | {"machinery": cls.__name__, "bases": []}
        if _is_pythons(cls):  # so that one of its objects is one of Python's class there too
            return kind | {"bases": [{"known": cls.__name__}]}
        return kind | {
            "bases": [self._base(base) for base in cls.__bases__ if base.__module__ != "builtins" or _raises(base)]
        }

    def _base(self, cls: type) -> dict[str, Any]:
        return {"known": cls.__name__} if cls.__module__ == "builtins" else self._class(cls)

    def revive(self, value: Any) -> Any:
        """The objects that references stand for."""
        if isinstance(value, Handle):
            return self.objects[value.number]
        if isinstance(value, Callback):
            return self.callback(value.number, value.protocols)
        if isinstance(value, Known):
            return imported(value)
        if isinstance(value, Iterator):
            return iter(self.revive(value.items))
        if isinstance(value, Draws):
            return generator_of(value)
        kind = type(value)
        if kind in (list, tuple, set, frozenset):
            return kind(self.revive(item) for item in value)
        if isinstance(value, dict):
            pairs = [(self.revive(key), self.revive(item)) for key, item in value.items()]
            value.clear()
            for key, item in pairs:
                value[key] = item
        if kind is np.ndarray and value.dtype.kind == "O":
            value.flat[:] = [self.revive(item) for item in value.ravel().tolist()]
        return value


def _are_plain(values: dict[str, Any]) -> bool:
    """Whether nothing of a student's is at work when these are looked at."""
    return all(type(value) in SCALARS for value in values.values())


def imported(named: Known) -> Any:
    """What both sides import by its name."""
    value: Any = importlib.import_module(named.module)
    for part in named.name.split("."):
        value = getattr(value, part)
    return value


def _is_pythons(cls: type) -> bool:
    """Whether it is a class of exceptions of Python's own."""
    return _raises(cls) and getattr(builtins, cls.__name__, None) is cls


def _arguments(error: BaseException) -> list[Any]:
    """What an exception was made of. Of an OSError `args` leave out which file it is about."""
    if type(error).__reduce__ is OSError.__reduce__:
        return list(error.__reduce__()[1])
    return list(error.args)


def _text(error: BaseException) -> str:
    try:
        return str(error)[:4000]
    except Exception:  # noqa: BLE001  (a student's exception may fail to print)
        return "(this exception cannot be printed)"


def _error(request: dict[str, Any], error: Any, arguments: list[Any], state: dict[str, Any]) -> BaseException:
    """What a function of the test's raised: an exception of the notebook's, of Python's own, or of a library's."""
    if isinstance(error, BaseException):
        return error
    try:
        kind = imported(Known(request["module"], request["name"]))
        try:
            exception = kind(*arguments)
        except TypeError:  # it was made of more than it says
            exception = kind.__new__(kind, *arguments)
        exception.__dict__.update(state)
    except (ImportError, AttributeError, TypeError, ValueError):
        exception = None
    return exception if isinstance(exception, Exception) else Exception(*arguments)


def _raises(cls: type) -> bool:
    return issubclass(cls, BaseException)


def _protocols(cls: type) -> int:
    """Asked name by name: to go through all that a library's class has would write to each of its functions, and each
    page of memory that a fork writes to is copied."""
    spaces = [vars(base) for base in cls.__mro__]
    return sum(1 << at for at, name in enumerate(PROTOCOLS) if any(space.get(name) is not None for space in spaces))


def _draw_from(numpy_state: Any, python_state: Any) -> None:
    """Set the random generators to where the test has put its own: a seed that it sets holds for what it calls."""
    if numpy_state is not None:
        np.random.set_state(("MT19937", *numpy_state))
    if python_state is not None:
        random.setstate(python_state)
