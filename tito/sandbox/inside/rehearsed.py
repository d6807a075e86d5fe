"""A notebook that is asked as a test asks one, before any session is forked: what that makes is then made once.

See `rehearse` in `runner` and in the judge's role, which do the same for cells and for what is judged.
"""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any, cast

import numpy as np

from tito.sandbox.inside.codec import Channel, Packed
from tito.sandbox.inside.objects import Objects
from tito.sandbox.inside.runner import CellTimeout, time_limit
from tito.sandbox.inside.wire import Handle, WireEncoder, more, no_reference

NOTEBOOK = """
class Thing:
    def __init__(self, size):
        self.size = size

    def double(self):
        return Thing(2 * self.size)

    def __len__(self):
        return self.size

    def __iter__(self):
        return iter(range(self.size))


def add(x, y):
    return x + y


def ordered(items):
    return sorted(items)


def describe(value):
    return repr(value)


def squares(values):
    return values**2


def fail():
    raise ValueError("a message")
"""
RUNS = 3
LIMIT_S = 5.0


def rehearse_questions() -> None:
    """Ask, and throw away what is answered."""
    for _ in range(RUNS):
        names: dict[str, Any] = {}
        exec(NOTEBOOK, names)
        shell = SimpleNamespace(user_ns=names, outputs=SimpleNamespace(items=[], reset=lambda: None))
        objects = Objects(shell, time_limit, CellTimeout)
        nobody = cast(Channel, SimpleNamespace(send_packed=lambda message, packed: None))
        for what, target, arguments in _questions(objects):
            request = {"what": what, "name": target, "number": 0, "keep": False, "token": "", "limit_s": LIMIT_S}
            if what != "name":
                request["number"] = objects.number(names[target])
            objects.answer(nobody, request, _sent(arguments))


def _questions(objects: Objects) -> Iterator[tuple[str, str, tuple[Any, ...]]]:
    names = objects.shell.user_ns
    for name in ("add", "Thing", "nothing"):
        yield "name", name, ()
    yield "__call__", "add", (1, 2.5)
    yield "__call__", "ordered", ([3, 1, 2],)
    yield "__call__", "describe", ({"name": ("text", None)},)
    yield "__call__", "squares", (np.arange(4.0),)
    yield "__call__", "fail", ()
    names["thing"] = names["Thing"](2)
    yield "__call__", "Thing", (2,)
    for name in ("size", "double"):
        yield "__getattr__", "thing", (name,)
    yield "__eq__", "thing", (Handle(objects.number(names["thing"])),)
    for what in ("__len__", "__iter__", "__repr__"):
        yield what, "thing", ()


def _sent(arguments: tuple[Any, ...]) -> dict[str, Any]:
    """Values as they come over a channel."""
    encoder = WireEncoder(no_reference)
    encoder.put("arguments", list(arguments))
    encoder.put("keywords", {})
    packed: Packed = encoder.packed()
    return packed.values(more)
