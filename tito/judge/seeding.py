"""In the judge: how often a test has seeded the global random generators.

What a generator's state was and is does not tell: a test that seeds with 7, has student code draw, and seeds with 7
again, leaves its own generator as it was, and means the notebook's.
"""

from __future__ import annotations

import contextlib
import functools
import random
from collections import Counter
from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Any, cast

import numpy as np

SEEDS: tuple[tuple[str, ModuleType, str], ...] = (
    ("numpy", np.random, "seed"),
    ("numpy", np.random, "set_state"),
    ("python", random, "seed"),
    ("python", random, "setstate"),
)
MERSENNE_BYTES = 624 * 4 + 4  # its keys, and the position among them
_times: Counter[str] = Counter()


class NumpyState:
    """Where numpy's global generator stands. To read that takes longer than most of what a test asks of a notebook: it
    is read when the generator's memory says that it has moved, or when a second normal number lies ready, for which
    that does not move."""

    def __init__(self) -> None:
        self._memory: bytes | None = None
        self._state: tuple[Any, int, int, float] = (None, 0, 1, 0.0)

    def now(self) -> tuple[Any, int, int, float]:
        """Its keys, its position, and the normal number that lies ready: the same object where none of it has changed
        since this was asked last."""
        memory = _numpy_memory()
        if memory is None or memory != self._memory or self._state[2]:
            _, keys, position, has_gauss, gauss = np.random.get_state()
            state = keys, int(position), int(has_gauss), float(gauss)
            if self._state[1:] != state[1:] or not np.array_equal(self._state[0], keys):
                self._state = state
            self._memory = memory
        return self._state


class Memory:
    """Where a Mersenne Twister's state lies, as numpy can look at it."""

    def __init__(self, address: int) -> None:
        facts: dict[str, Any] = {"version": 3, "typestr": "|u1", "shape": (MERSENNE_BYTES,), "data": (address, True)}
        self.__array_interface__ = facts


def _numpy_memory() -> bytes | None:
    """What a draw changes in memory; None: that is not known of such a generator."""
    generator = cast(Any, np.random).get_bit_generator()
    if type(generator) is not np.random.MT19937:
        return None
    return np.asarray(Memory(generator.ctypes.state_address)).tobytes()


def count_seeds() -> None:
    """Count from now on, for the rest of this process."""
    for generator, module, name in SEEDS:
        setattr(module, name, _counted(generator, getattr(module, name)))


def times_seeded() -> dict[str, int]:
    """How often each generator has been seeded."""
    return {"numpy": _times["numpy"], "python": _times["python"]}


@contextlib.contextmanager
def draws_put_back() -> Iterator[None]:
    """What is drawn and seeded in here has not been, afterwards."""
    states, before = (np.random.get_state(), random.getstate()), dict(_times)
    try:
        yield
    finally:
        np.random.set_state(states[0])
        random.setstate(states[1])
        _times.clear()
        _times.update(before)


def _counted(generator: str, function: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(function)
    def seed(*arguments: Any, **keywords: Any) -> Any:
        _times[generator] += 1
        return function(*arguments, **keywords)

    return seed
