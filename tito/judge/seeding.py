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
from typing import Any

import numpy as np

SEEDS: tuple[tuple[str, ModuleType, str], ...] = (
    ("numpy", np.random, "seed"),
    ("numpy", np.random, "set_state"),
    ("python", random, "seed"),
    ("python", random, "setstate"),
)
_times: Counter[str] = Counter()


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
