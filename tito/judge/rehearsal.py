"""A test without a judge half, run on a notebook that is no process: before any judge is forked.

What Python and this package make when they are first used (and what Python 3.11 makes of functions that have run a few
times) lies then in pages that no judge's process has to copy, and is made once a cohort. No student code is near, and
what a test leaves behind in a process (hooks, limits, seeds) is not done here.
"""

from __future__ import annotations

import contextlib
from types import SimpleNamespace
from typing import Any, cast

from tito.judge.call_sites import MARK
from tito.judge.proxy_channel import ProxyChannel
from tito.judge.remote_worker import Namespace, imported
from tito.judge.seeding import draws_put_back
from tito.judge.worker import compiled
from tito.sandbox.inside.codec import Channel, Packed
from tito.sandbox.inside.objects import Objects
from tito.sandbox.inside.rehearsed import NOTEBOOK
from tito.sandbox.inside.wire import more

IMPORTS = [["np", "import numpy as np"]]
TEST = """
def close(left, right):
    return np.allclose(left, right)

assert add(1, 2) == 3 and add(1.5, y=2) == 3.5
assert sorted(ordered([3, 1, 2])) == [1, 2, 3]
assert describe({"name": ("text", None)}) == "{'name': ('text', None)}"
table = squares(np.arange(4))
assert table.shape == (4,) and close(table, [0, 1, 4, 9])
thing = Thing(2)
assert isinstance(thing, Thing) and thing.size == 2 and thing.double().size == 4
assert thing != Thing(3) and len(thing) == 2 and [item for item in thing] == [0, 1] and "Thing" in repr(thing)
try:
    fail()
except ValueError as error:
    assert "message" in str(error)
else:
    raise AssertionError
for number in range(3):
    assert add(number, 1) == number + 1, f"{number}"
"""
RUNS = 4  # of the test: Python looks at what has run eight times, and each asks for several things


class Loopback:
    """A way to a notebook that is an object here."""

    def __init__(self) -> None:
        names: dict[str, Any] = {}
        exec(compiled(NOTEBOOK, "<rehearsal>"), names)
        shell = SimpleNamespace(user_ns=names, outputs=SimpleNamespace(items=[], reset=lambda: None))
        self.objects = Objects(shell, lambda limit_s: contextlib.nullcontext(), TimeoutError)
        self.answer: tuple[dict[str, Any], Packed] = {}, Packed()

    def send_packed(self, message: dict[str, Any], packed: Packed) -> None:
        """Ask, and have it answered at once."""
        request = message["ask"] | {"token": "", "limit_s": 1.0}
        answers = cast(Channel, SimpleNamespace(send_packed=self._keep))
        self.objects.answer(answers, request, packed.values(more))

    def _keep(self, message: dict[str, Any], packed: Packed) -> None:
        self.answer = message, packed

    def receive(self) -> tuple[dict[str, Any], dict[str, Any]]:
        """The answer."""
        message, packed = self.answer
        return message, packed.values(more)


def rehearse_test() -> None:
    """Run a test as it is run for the reference, and for students."""
    code = compiled(TEST, f"{MARK}rehearsal>")
    sites: frozenset[str] | None = None
    with draws_put_back():
        for _ in range(RUNS):
            channel = ProxyChannel(Loopback(), sites)
            names = Namespace(channel, imported(IMPORTS), frozenset(), frozenset())
            with channel.sites.counted():
                exec(code, names)
            sites = channel.shown if sites is None else sites
