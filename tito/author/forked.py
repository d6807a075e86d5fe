"""Work that is done in a process of its own while this one goes on with other work."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection
from typing import TypeVar

from tito.errors import PlatformError
from tito.sandbox.inside import kernel
from tito.sandbox.processes import can_fork

T = TypeVar("T")


@contextmanager
def forked(work: Callable[[], T]) -> Iterator[Callable[[], T]]:
    """Begin some work in a fork of this process; the block is given what waits for its result. At its end the process
    is ended, whatever it does. Threads would share one interpreter: gates that read sources are all computation. Where
    this process cannot be forked, the work is done when its result is asked for.

    What is called raises what the work raised, or PlatformError where its process ended before it was done.
    """
    if not can_fork():
        yield work
        return
    context = multiprocessing.get_context("fork")
    ours, theirs = context.Pipe(duplex=False)
    process = context.Process(target=_done, args=(theirs, work), daemon=True)
    process.start()
    theirs.close()

    def result() -> T:
        try:
            value, error = ours.recv()
        except EOFError:
            process.join()
            raise PlatformError(f"A process of this check ended with {process.exitcode} before it was done.") from None
        if error is not None:
            raise error
        return value  # type: ignore[no-any-return]  # recv gives anything

    try:
        yield result
    finally:
        process.kill()
        process.join()
        ours.close()


def _done(line: Connection, work: Callable[[], T]) -> None:
    kernel.die_with_parent()
    try:
        line.send((work(), None))
    except Exception as error:  # noqa: BLE001  (it is raised again in the process that waits for it)
        line.send((None, error))
