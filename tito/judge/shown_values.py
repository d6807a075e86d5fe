"""What objects of a notebook have shown of themselves to a test that is judged, where the reference gave plain values.

A plain value is the same each time that a test looks at it. An object asks student code each time, which may answer
one question in one way and the next in another: in an order when it is compared with what it was made of, in another
when it is asked whether it is sorted. So what such an object has once shown it shows until the test itself changes it;
and what it shows in two ways must agree, or it is no value that a test can judge.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from tito.sandbox.inside.wire import ARITHMETIC

LOOKS = frozenset(
    f"__{name}__"
    for name in (
        *("bool", "len", "int", "float", "complex", "index", "round", "abs", "neg", "pos", "invert", "str", "repr"),
        *("format", "hash", "array", "getitem", "getattr", "dir", "iter"),
    )
)
CHANGES = frozenset(
    f"__{name}__"
    for name in ("setitem", "delitem", "setattr", "delattr", "enter", "exit", *(f"i{name}" for name in ARITHMETIC))
)
SCALARS = (type(None), bool, int, float, complex, str, bytes, np.generic)

Ask = Callable[..., Any]


@dataclass
class _Shown:
    """What one object has shown: answers, or what was raised in their place; and what it gave when it was iterated."""

    answers: dict[tuple[str, str], Any] = field(default_factory=dict)
    raised: dict[tuple[str, str], BaseException] = field(default_factory=dict)
    source: Any = None
    items: list[Any] = field(default_factory=list)
    is_all: bool = False


class ShownValues:
    """Objects that are to be steady, by their numbers. `ask` asks the notebook."""

    def __init__(self, ask: Ask) -> None:
        self._ask = ask
        self._shown: dict[int, _Shown] = {}
        self._owners: dict[int, int] = {}  # of methods: the object

    def hold(self, number: int, owner: int | None) -> None:
        """From now on that object is to be steady. `owner`: the object that it is an attribute of."""
        self._shown.setdefault(number, _Shown())
        if owner is not None:
            self._owners.setdefault(number, owner)

    def forget(self, what: str, number: int, operands: list[int | None]) -> None:
        """The test is about to do that: what it may change may show something else afterwards."""
        changed = {number} if what in CHANGES else set[int | None]()
        if what == "__call__":
            changed = {self._owners.get(number), *operands}
        for each in changed:
            if each is not None and each in self._shown:
                self._shown[each] = _Shown()

    def holds(self, what: str, number: int, arguments: tuple[Any, ...]) -> bool:
        """Whether the test looks at such an object, in a way that can be remembered."""
        return number in self._shown and what in LOOKS and _remembered(arguments)

    def look(self, what: str, number: int, arguments: tuple[Any, ...]) -> Any:
        """What the object shows, as it did before."""
        shown, key = self._shown[number], (what, repr(arguments))
        if what == "__iter__":
            return self._again(number, shown)
        if key in shown.raised:
            raise shown.raised[key]
        if key not in shown.answers:
            try:
                shown.answers[key] = self._ask(what, number, arguments)
            except Exception as error:
                shown.raised[key] = error
                raise
            self._agree(number, shown, arguments)
        return _copied(shown.answers[key])

    def _again(self, number: int, shown: _Shown) -> Iterator[Any]:
        """What it gives when it is iterated, from the first on."""
        if shown.source is None:
            shown.source = self._ask("__iter__", number)
            if not hasattr(type(shown.source), "__next__"):
                raise TypeError("what your code returned cannot be iterated")
        return self._items(number, shown)

    def _items(self, number: int, shown: _Shown) -> Iterator[Any]:
        at = 0
        while at < len(shown.items) or not shown.is_all:
            if at == len(shown.items):
                try:
                    shown.items.append(next(shown.source))
                except StopIteration:
                    shown.is_all = True
                self._agree(number, shown, (at,))
                continue
            yield _copied(shown.items[at])
            at += 1

    def _agree(self, number: int, shown: _Shown, arguments: tuple[Any, ...]) -> None:
        """See that its length, and what it holds at an index, are those of what it gives.

        Raises:
            TypeError: they are not.
        """
        length = shown.answers.get(("__len__", "()"))
        if shown.is_all and type(length) is int and length != len(shown.items):
            raise TypeError("what your code returned has another length than it says")
        at = arguments[0] if arguments else None
        if type(at) is not int or not 0 <= at < len(shown.items):
            return
        held, item = shown.answers.get(("__getitem__", repr((at,))), self), shown.items[at]
        if isinstance(held, SCALARS) and isinstance(item, SCALARS) and held != item and held == held:
            if any(key == at for key in shown.items if isinstance(key, SCALARS)) and self._maps(number):
                return
            raise TypeError("what your code returned holds other values than it gives")

    def _maps(self, number: int) -> bool:
        try:
            self._ask("__getattr__", number, ("keys",))
        except AttributeError:
            return False
        return True


def _remembered(arguments: tuple[Any, ...]) -> bool:
    parts = (
        part
        for each in arguments
        for part in (
            (each.start, each.stop, each.step) if type(each) is slice else each if type(each) is tuple else [each]
        )
    )
    return all(isinstance(part, SCALARS) or type(part) in (slice, type(...)) for part in parts)


def _copied(value: Any) -> Any:
    """A value that the test may change without changing what is remembered."""
    if type(value) in (list, tuple, set, frozenset):
        return type(value)(_copied(each) for each in value)
    if type(value) is dict:
        return {key: _copied(each) for key, each in value.items()}
    return value.copy() if type(value) is np.ndarray else value
