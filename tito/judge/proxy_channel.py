"""A test's way to the notebook, in the judge: asks for operations, and makes proxies of what comes back.

Whatever a notebook sends is hostile: it gives plain values and proxies, or `Ended`.
"""

from __future__ import annotations

import builtins
import random
import sys
import types
from collections import deque
from collections.abc import Generator
from itertools import islice
from typing import Any, Protocol, cast

import numpy as np

from tito.judge.call_sites import CallSites
from tito.judge.lent import OWN, done_with, lent_protocols
from tito.judge.processor_time import ProcessorTime
from tito.judge.proxy import (
    EXCEPTION,
    SYNTAX,
    Proxy,
    RemoteType,
    Text,
    native_attributes,
    new_exception,
    number_of,
)
from tito.judge.seeding import NumpyState, times_seeded
from tito.judge.shown_values import ShownValues
from tito.sandbox.inside import wire
from tito.sandbox.inside.codec import CodecError, Packed
from tito.sandbox.inside.mirrored_files import BadChanges, MirroredFiles
from tito.sandbox.inside.wire import (
    MACHINERY,
    PROTOCOLS,
    Alias,
    Callback,
    Draws,
    Handle,
    Iterator,
    Known,
    WireEncoder,
    draws_of,
    generator_of,
    set_draws,
)

MOST_OPERATIONS = 100_000
MOST_SAID = 1 << 20
MOST_GIVEN = 10_000  # values of an iterator that is handed to the notebook
SEED = 2018
_EMPTY: tuple[Any, ...] = ([], (), {}, set(), range(1), "", {}.values(), {}.items())
ITERATORS: tuple[type, ...] = (
    *(types.GeneratorType, map, filter, zip, enumerate, reversed),
    *(type(iter(empty)) for empty in _EMPTY),
)
NO_LIBRARIES = ("builtins", "__main__", "numpy", "tito")  # what they have crosses as it is, or is ours
SCALARS = (str, int, float, bool, bytes, type(None))
BY_NAME = ("name", "set name", "delete name")
STOPS = (StopIteration, StopAsyncIteration)
BAD_ANSWER = (CodecError, TypeError, ValueError, LookupError, AttributeError, RecursionError)


class Transport(Protocol):
    """What a test asks over."""

    def send_packed(self, message: dict[str, Any], packed: Packed) -> None:
        """Ask."""
        ...

    def receive(self) -> tuple[dict[str, Any], dict[str, Any]]:
        """The answer, and its values."""
        ...


class Ended(BaseException):
    """Nothing more can be asked: the notebook has ended, or answered what is no answer, or been asked too much."""


class ProxyChannel:
    """A test's way to the notebook.

    Args:
        known: what the reference's run has shown of the test's places; None while it is at work: then every object is
            asked, and `shown` says what was done where.
        keep: whether objects of subclasses of plain types stay where they are.
        believes: whether arguments are changed too where the reference changed none (see `replay`).
        files: the judge's folder, where it is kept like the notebook's.
    """

    def __init__(
        self,
        channel: Transport,
        known: frozenset[str] | None,
        keep: bool = False,
        *,
        believes: bool = False,
        files: MirroredFiles | None = None,
    ) -> None:
        self.channel = channel
        self.believes = believes
        self.not_believed = False  # whether the notebook has said so
        self.sites = CallSites(known)
        self.looks = ShownValues(self._ask)
        self.keep = keep
        self.files = files
        self.names: dict[int, set[str]] = {}  # by which an object of the notebook was looked up
        self.bound: dict[tuple[str, bool], Any] = {}  # such objects by name, until the notebook says that it is rebound
        self.called: set[str] = set()
        self.objects: dict[int, Any] = {}
        self.classes: dict[int, RemoteType] = {}
        self.callbacks: list[Any] = []  # what is lent to student code, for as long as this lasts
        self._positions: dict[int, int] = {}  # of these, by their identity
        self.processor_time = ProcessorTime()
        self.asked = 0
        self.said = 0
        self.over = ""  # why nothing more can be asked
        np.random.seed(SEED)
        random.seed(SEED)
        self._numpy = NumpyState()
        self._drawn = self._numpy.now(), random.getstate()
        self._seeded = times_seeded()

    @property
    def shown(self) -> frozenset[str]:
        """Of the reference's run: what was done where, and the names of what it called."""
        return self.sites.shown() | {f"called {name}" for name in self.called}

    # ---- asking ----------------------------------------------------------------------------------

    def ask(
        self,
        what: str,
        number: int = -1,
        arguments: tuple[Any, ...] = (),
        keywords: dict[str, Any] | None = None,
        name: str = "",
    ) -> Any:
        """Have the notebook do something. Raises what the notebook's objects raise; KeyError for a name it has not."""
        if what == "name" and (bound := (name, self._keeps())) in self.bound:
            return self._as_noted(self.bound[bound])
        self.looks.forget(what, number, [number_of(argument) for argument in arguments])
        if self.looks.holds(what, number, arguments):
            return self.looks.look(what, number, arguments)
        return self._ask(what, number, arguments, keywords, name)

    def _keeps(self) -> bool:
        """Whether objects of subclasses of plain types stay where they are, here where the test is now."""
        return self.keep or (not self.sites.is_reference and self.sites.allows("kept"))

    def _as_noted(self, value: Any, owner: int | None = None) -> Any:
        """A value that has come from the notebook, when it is known what objects it holds; `owner`: of whom it is an
        attribute."""
        if stand_ins := list(_stand_ins(value)):
            self.sites.note("kept")
            if not self.sites.allows("kept"):
                for held in stand_ins:
                    self.looks.hold(held, owner)
        return value

    def start_with_files(self) -> None:
        """Make the judge's folder what the notebook's is now, where the test looks at files."""
        if self.files is not None:
            self._exchange({"what": "files", "keep": False, "listing": self.files.listing()}, {})

    def _ask(
        self,
        what: str,
        number: int = -1,
        arguments: tuple[Any, ...] = (),
        keywords: dict[str, Any] | None = None,
        name: str = "",
    ) -> Any:
        keep = self._keeps()
        request = {"what": what, "number": number, "name": name, "keep": keep}
        values: dict[str, Any] = {"arguments": list(arguments), "keywords": keywords or {}} | self._generators()
        operands = [*arguments, *(keywords or {}).values()]
        reply, back = self._exchange(request, values)
        try:
            operands = self._changed(operands, back.pop("left", []))
            back = {key: self.revive(value, operands) for key, value in back.items()}
        except BAD_ANSWER as error:
            raise self._end("an answer that is none") from error
        if reply.get("status") == "missing":
            raise KeyError(name)
        if reply.get("status") == "raised":
            raise self._allowed(self._error(reply, back), what)
        value = self._as_noted(back.get("value"), number if what == "__getattr__" else None)
        if what == "name" and (looked_up := number_of(value)) is not None:
            self.names.setdefault(looked_up, set()).add(name)
            self.bound[name, keep] = value
        return value

    def _changed(self, operands: list[Any], left: Any) -> list[Any]:
        """Change arguments as the notebook says it did, where the reference did that too. What stands for them in the
        answer: else it is their new content, in objects of its own, and the test's own are as they were."""
        answered = list(operands)
        for position, new in self.revive(left, operands):
            argument = operands[position]
            if self.believes or self.sites.allows(f"changed {position}"):
                self.sites.note(f"changed {position}")
                restore(argument, new)
            else:
                answered[position] = new
                self.not_believed = True
        return answered

    def _allowed(self, error: BaseException, what: str) -> BaseException:
        """An exception that the notebook raised. One that ends an iteration, where none was asked for the next value,
        would end one of the test's own, and with it whatever it was to check: it is an error, as in a generator."""
        if not isinstance(error, STOPS) or what == "__next__":
            return error
        if not self.sites.allows("stopped"):
            return RuntimeError(f"your code raised {type(error).__name__}")
        self.sites.note("stopped")
        return error

    def may(self, *operands: Any) -> bool:
        """Whether an object of the notebook may be handed operands of the test's, here where the test is now."""
        return all(isinstance(operand, Proxy | RemoteType) for operand in operands) or self.may_compare()

    def may_call(self, number: int, *operands: Any) -> bool:
        """Whether it may be called with them: too wherever the test has looked it up by a name that it calls."""
        names = self.names.get(number, set())
        if self.sites.known is None:
            self.called |= names
        elif any(f"called {name}" in self.sites.known for name in names):
            return True
        return self.may(*operands)

    def may_compare(self) -> bool:
        """Whether an object of the notebook is asked what it equals, here where the test is now: where the reference's
        was. Where that never came, nothing is known of what the author means to ask."""
        self.sites.note("asked")
        return self.sites.allows("asked")

    def _exchange(self, request: dict[str, Any], values: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
        """Ask, and run functions of the test's until the answer comes."""
        self._send(request, values)
        while True:
            try:
                reply, back = self.channel.receive()
            except CodecError as error:
                raise self._end("an answer that is none") from error
            self._tell(reply.get("said"))
            self.processor_time.add(reply)
            self._forget(reply.get("rebound"))
            self._bring_in_files(back)
            if reply.get("status") == "over":
                self.over = "the notebook has ended"
                raise Ended(self.over)
            if reply.get("status") != "callback":
                return reply, back
            self._run_callback(reply, back)

    def _forget(self, names: Any) -> None:
        """Names that stand for something else in the notebook now, as it says: they are looked up again."""
        for name in names if isinstance(names, list) else []:
            for keep in (False, True):
                self.bound.pop((str(name), keep), None)

    def _send(self, request: dict[str, Any], values: dict[str, Any]) -> None:
        if self.over:
            raise Ended(self.over)
        self.asked += 1
        if self.asked > MOST_OPERATIONS:
            raise self._end("it asks too much of the notebook")
        encoder = WireEncoder(self.refer)
        request["timed"] = self.processor_time.is_asked_for
        try:
            for name, value in values.items():
                encoder.put(name, value)
            if self.files is not None:  # last: a value that cannot cross would take them along
                request["mirrors"] = True
                encoder.put("files", self.files.changes())
            self.channel.send_packed({"ask": request}, encoder.packed())
        except CodecError as error:
            raise TypeError(f"cannot be handed to the notebook: {error}") from error

    def _bring_in_files(self, values: dict[str, Any]) -> None:
        """Do to the judge's folder what student code has done to the notebook's."""
        changes = values.pop("files", {})
        try:
            if self.files is not None and changes != {}:
                self.files.apply(changes)
        except BadChanges as error:
            raise self._end("an answer that is none") from error

    def _run_callback(self, reply: dict[str, Any], values: dict[str, Any]) -> None:
        try:
            function = self.callbacks[reply["number"]]
            arguments, keywords = self.revive(values["arguments"], []), self.revive(values["keywords"], [])
            if type(arguments) is not list or type(keywords) is not dict:
                raise CodecError("no arguments")
        except BAD_ANSWER as error:
            raise self._end("an answer that is none") from error
        try:
            value = done_with(function, str(reply.get("operation")), arguments, keywords, self._may)
            self._send({"what": "return"}, {"value": value})
        except Exception as error:  # noqa: BLE001  (what a function of the test raises, its caller in the notebook gets)
            failure = {"what": "raise", "name": type(error).__name__, "module": type(error).__module__}
            mirrored = error if isinstance(type(error), RemoteType) else None
            state = {} if mirrored else {name: value for name, value in vars(error).items() if type(value) in SCALARS}
            try:
                self._send(failure, {"error": mirrored, "arguments": list(error.args), "state": state})
            except TypeError:
                self._send(failure, {"error": mirrored, "arguments": [str(error)[:4000]], "state": state})

    def _may(self, fact: str) -> bool:
        """Whether the reference's code did that with what it was lent, here where the test is now."""
        self.sites.note(fact)
        return self.sites.allows(fact)

    def _end(self, why: str) -> Ended:
        self.over = why
        return Ended(why)

    def _tell(self, answer: Any) -> None:
        """What the notebook printed meanwhile is printed here: a test may have redirected it."""
        for name, text in answer if isinstance(answer, list) else []:
            self.said += len(str(text))
            if self.said <= MOST_SAID:
                (sys.stderr if name == "stderr" else sys.stdout).write(str(text))

    def _generators(self) -> dict[str, Any]:
        """States of the random generators, where the test has changed them since the notebook was last told; and where
        it has seeded them: with the same seed as before too, for the notebook has drawn meanwhile."""
        now, then = (self._numpy.now(), random.getstate()), self._drawn
        seeded = {name for name, times in times_seeded().items() if times != self._seeded[name]}
        self._drawn, self._seeded = now, times_seeded()
        changed: dict[str, Any] = {}
        if "numpy" in seeded or now[0] is not then[0]:
            changed["numpy_random"] = list(now[0])
        if "python" in seeded or now[1] != then[1]:
            changed["random"] = now[1]
        return changed

    def _error(self, reply: dict[str, Any], values: dict[str, Any]) -> BaseException:
        error = values.get("error")
        kind = getattr(builtins, str(reply.get("name")), None)
        if reply.get("known") is True and isinstance(kind, type) and issubclass(kind, BaseException):
            arguments = values.get("arguments")
            try:
                return kind(*arguments) if isinstance(arguments, list) else kind(str(reply.get("text")))
            except (TypeError, ValueError):
                return RuntimeError(str(reply.get("text")))
        if isinstance(error, BaseException):
            arguments = values["arguments"] if isinstance(values.get("arguments"), list) else []
            if isinstance(error, BaseExceptionGroup):
                error = self._group(error, arguments)
            error.__dict__["_tito_text"] = str(reply.get("text"))
            error.args = tuple(arguments)
            return error
        return RuntimeError(str(reply.get("text")))

    def _group(self, empty: BaseExceptionGroup[Any], arguments: list[Any]) -> BaseException:
        """A group of the notebook's with the exceptions that it holds, which `except*` looks at: they are given to a
        group when it is made, and it had to be made before they were known."""
        try:
            group = new_exception(type(empty), *arguments[:2])
        except (TypeError, ValueError):
            return empty
        group.__dict__.update(empty.__dict__)
        self.objects[empty.__dict__["_tito_number"]] = group
        return group

    # ---- values ----------------------------------------------------------------------------------

    def refer(self, value: Any) -> Any:
        """How an object that is no plain value is named to the notebook.

        Raises:
            CodecError: it cannot be.
        """
        number = number_of(value)
        if number is not None:
            return Handle(number)
        if isinstance(value, ITERATORS):
            items: list[Any] = list(islice(cast(Any, value), MOST_GIVEN + 1))
            if len(items) > MOST_GIVEN:
                raise CodecError("an iterator of too many values")
            return Iterator(items)
        by_value = _known(value) or draws_of(value)
        if by_value is not None:
            return by_value
        protocols = lent_protocols(value)
        if protocols is not None:
            position = self._positions.setdefault(id(value), len(self.callbacks))
            if position == len(self.callbacks):
                self.callbacks.append(value)
            return Callback(position, protocols)
        raise CodecError(f"a {type(value).__name__} of the test's own")

    def revive(self, value: Any, operands: list[Any]) -> Any:
        """The proxies and values that an answer's references mean."""
        kind = type(value)
        if kind is Handle:
            return self._stand_in(value)
        if kind is Known:
            return wire.shared_type(value)
        if kind is Callback:
            return self.callbacks[value.number]
        if kind is Alias:
            return operands[value.position]
        if kind is Draws:
            return generator_of(value)
        if kind is Iterator:
            raise CodecError("an iterator")
        if kind in (list, tuple, set, frozenset):
            return kind(self.revive(item, operands) for item in value)
        if isinstance(value, dict):
            pairs = [(self.revive(key, operands), self.revive(item, operands)) for key, item in value.items()]
            value.clear()
            for key, item in pairs:
                value[key] = item
        elif kind is deque:
            value.extend([self.revive(value.popleft(), operands) for _ in range(len(value))])
        elif kind is np.ndarray and value.dtype.kind == "O":
            value.flat[:] = [self.revive(item, operands) for item in value.ravel().tolist()]
        return value

    def _stand_in(self, handle: Handle) -> Any:
        number, kind = handle.number, handle.kind
        if "is" in kind:
            return self._class(kind["is"])
        if number in self.objects:
            return self.objects[number]
        cls = self._class(kind["class"])
        if issubclass(cls, BaseException):
            revived: Any = new_exception(cls)
            revived.__dict__["_tito_number"] = number
        else:
            revived = object.__new__(cls)
            object.__setattr__(revived, "_tito_number", number)
        self.objects[number] = revived
        return revived

    def _class(self, facts: dict[str, Any]) -> RemoteType:
        number = int(facts["n"])
        if number not in self.classes:
            bases = [self._base(base) for base in facts["bases"]]
            raises = any(issubclass(base, BaseException) for base in bases)
            has = int(facts["has"])
            body = dict(
                EXCEPTION if raises else {name: SYNTAX[name] for at, name in enumerate(PROTOCOLS) if has >> at & 1}
            )
            body |= {
                "_tito_channel": self,
                "_tito_number_of_class": number,
                "__module__": "notebook",
                "__doc__": Text(),
            }
            body |= native_attributes(bases) if raises else {"__slots__": ()}
            native = MACHINERY.get(str(facts.get("machinery"))) or _library_class(facts)
            if native is not None and not raises:
                body["__class__"] = property(lambda _: native)
            inherited = [base for base in bases if issubclass(base, BaseException)] if raises else [*bases, Proxy]
            self.classes[number] = RemoteType(str(facts["name"]), tuple(inherited), body)
        return self.classes[number]

    def _base(self, facts: dict[str, Any]) -> type:
        if "known" not in facts:
            return self._class(facts)
        kind = getattr(builtins, str(facts["known"]))
        if not issubclass(kind, BaseException):
            raise CodecError("no class of exceptions")
        return kind  # type: ignore[no-any-return]


# ---- helpers --------------------------------------------------------------------------------------------


def _stand_ins(value: Any) -> Generator[int, None, None]:
    """The numbers of the objects that a value holds."""
    if isinstance(value, list | tuple | set | frozenset):
        for item in value:
            yield from _stand_ins(item)
    elif isinstance(value, dict):
        for item in value.values():
            yield from _stand_ins(item)
    elif (number := number_of(value)) is not None:
        yield number


def _library_class(facts: dict[str, Any]) -> type | None:
    """The class of a library, imported here too, that a notebook's class says it is: its objects are then instances of
    it. As with all that a notebook says, it is no more than said; what such objects hold is asked of the notebook."""
    module = str(facts.get("of"))
    if module.partition(".")[0] in NO_LIBRARIES:
        return None
    cls = getattr(sys.modules.get(module), str(facts["name"]), None)
    return cls if isinstance(cls, type) and not issubclass(cls, type) and cls.__module__ == module else None


def _known(value: Any) -> Known | None:
    """A function, class or array function that can be imported, as the notebook's process would import it."""
    modules = (getattr(value, "__module__", None), "numpy", "builtins")
    for module in (name for name in modules if name != OWN):  # which the notebook's process has not
        for name in (getattr(value, "__qualname__", None), getattr(value, "__name__", None)):
            member: Any = sys.modules.get(module) if isinstance(module, str) else None
            for part in name.split(".") if isinstance(name, str) else []:
                member = getattr(member, part, None)
            if member is value:
                return Known(str(module), str(name))
    return None


def restore(old: Any, new: Any) -> Any:
    """Give `old` the content of `new` in place where the two are mutable and of one kind; the one to go on with."""
    if isinstance(old, list) and type(new) is list:
        old[:] = [restore(old[at], item) if at < len(old) else item for at, item in enumerate(new)]
    elif isinstance(old, dict) and isinstance(new, dict):
        merged = {key: restore(old[key], item) if key in old else item for key, item in new.items()}
        old.clear()
        for key, item in merged.items():
            old[key] = item
    elif isinstance(old, set) and type(new) is set:
        old.clear()
        old.update(new)
    elif isinstance(old, bytearray) and type(new) is bytearray:
        old[:] = new
    elif isinstance(old, deque) and type(new) is deque:
        old.clear()
        old.extend(new)
    elif isinstance(old, np.ndarray) and type(new) is np.ndarray and old.shape == new.shape and old.dtype == new.dtype:
        old[...] = new
    elif type(old) is type(new) and (draws := draws_of(new)) is not None:
        set_draws(old, draws)
    else:
        return new
    return old
