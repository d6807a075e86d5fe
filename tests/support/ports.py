"""Ports for the servers that tests start."""

from __future__ import annotations

import itertools
import os
import random
import socket
from collections.abc import Iterator

FIRST = 12000  # below those that the system gives to whoever asks for any, as kernels do while a server starts
BAND = 2000  # of them, for each of several processes of tests


def _candidates() -> Iterator[int]:
    worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
    start = random.SystemRandom().randrange(BAND)  # another run of the tests may be at it on this machine
    for count in itertools.count(start):
        yield FIRST + (worker % 10) * BAND + count % BAND


_NEXT = _candidates()


def free_port() -> int:
    """A port of the loopback interface that nobody listens on, and that this process was not given before."""
    for port in itertools.islice(_NEXT, BAND):
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
        return port
    raise RuntimeError(f"none of {BAND} ports is free")


def free_ports(count: int) -> list[int]:
    """Several, all different."""
    return [free_port() for _ in range(count)]


def free_row(count: int) -> int:
    """The first of several in a row."""
    row = free_ports(count)
    while row[-1] != row[0] + count - 1:
        row = [*row[1:], free_port()]
    return row[0]
