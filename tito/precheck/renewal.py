"""Has the precheck that is at work for longer, again and again, from a process of its own beside the one that works.

A thread would do, but a process with threads cannot fork, and a worker forks what it grades with. This one is told by a
pipe what to renew, and dies with the process that it works for: then nobody renews, and the precheck is soon
another's.
"""

from __future__ import annotations

import logging
import multiprocessing
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection
from typing import NamedTuple

from tito.errors import TitoError
from tito.exchange.client.client import Client
from tito.exchange.protocol.problems import Refused
from tito.exchange.protocol.records import PrecheckClaim
from tito.sandbox.inside import kernel

LOG = logging.getLogger("tito.precheck")
OFTEN = 3  # times that a lease is renewed before it would run out
LONGEST_EXTRA_S = 60.0  # beside the time that its notebooks may take; after that a precheck is stuck, and is let go


class _Held(NamedTuple):
    """A precheck at work, as the process that renews is told of it: in few bytes, as that is done for each."""

    course: str
    submission: str
    lease: str
    lease_s: float
    longest_s: float


class Renewal:
    """The process that renews, started at once. Call `close` at the end."""

    def __init__(self, url: str, token: str) -> None:
        context = multiprocessing.get_context("fork")
        theirs, self._ours = context.Pipe(duplex=False)
        process = context.Process(target=_renew, args=(theirs, url, token), daemon=True)
        process.start()
        theirs.close()
        self._process = process

    @contextmanager
    def of(self, claim: PrecheckClaim) -> Iterator[None]:
        """Renew the lease of a precheck, for as long as the block runs."""
        submission, lease = claim.submission, claim.lease
        self._ours.send(_Held(submission.course, submission.id, lease.key, lease.seconds, longest_s(claim)))
        try:
            yield
        finally:
            self._ours.send(None)

    def close(self) -> None:
        self._process.terminate()
        self._process.join()
        self._ours.close()


def longest_s(claim: PrecheckClaim) -> float:
    """How long a precheck can be at work that is not stuck."""
    notebooks = sum(file.path.endswith(".ipynb") for file in claim.release.files)
    return max(1, notebooks) * claim.limits.notebook_timeout_s + LONGEST_EXTRA_S


def _renew(orders: Connection, url: str, token: str) -> None:
    """The process. Interrupts are for the one that works, which ends this one when it has finished."""
    kernel.die_with_parent()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    client = Client(url, token)
    held: _Held | None = None
    until = 0.0
    while True:
        if orders.poll(None if held is None else held.lease_s / OFTEN):
            held = orders.recv()
            until = time.monotonic() + (held.longest_s if held is not None else 0.0)
        elif held is not None and time.monotonic() < until:
            held = held if _renewed(client, held) else None
        else:
            held = None


def _renewed(client: Client, held: _Held) -> bool:
    """Whether it is worth while to renew it again: an exchange that is away may come back in time."""
    try:
        client.renew_precheck(held.course, held.submission, held.lease)
    except TitoError as error:
        LOG.warning("%s %s: not renewed: %s", held.course, held.submission, error)
        return not (isinstance(error, Refused) and error.status == 409)
    return True
