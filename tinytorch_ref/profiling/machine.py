# module: 14_profiling
"""What this machine can do at its best: the two lines of a roofline, measured and not looked up.

The roofline model (Williams, Waterman, Patterson, CACM 52(4), 2009): a program that makes I operations per
byte it moves cannot run faster than min(peak, I · bandwidth). Where the two meet lies the machine's balance.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

MB = 2**20
_MATMUL_SIDE = 512
_COPY_MB = 128  # far more than caches hold, so that it is the memory that is measured
_FEWEST = 5
_BUDGET_S = 0.2


@dataclass(frozen=True)
class Machine:
    """Measured peaks.

    >>> Machine(gflops=100.0, bandwidth_mbs=10_000.0).balance
    9.5367431640625
    """

    gflops: float  # 10⁹ operations per second, float32 matrix product
    bandwidth_mbs: float  # 2²⁰ bytes per second, copying counts what is read and what is written

    @property
    def balance(self) -> float:
        """Operations that the machine can make while one byte moves, FLOP/byte."""
        return self.gflops * 1e9 / (self.bandwidth_mbs * MB)


def measure_machine() -> Machine:
    """Both peaks, in about half a second: a float32 matrix product and a copy, best of several each.

    >>> machine = measure_machine()
    >>> machine.gflops > 0 and machine.bandwidth_mbs > 0
    True
    """
    a = np.full((_MATMUL_SIDE, _MATMUL_SIDE), 0.5, dtype=np.float32)
    product = np.empty_like(a)
    source = np.ones(_COPY_MB * MB, dtype=np.uint8)
    target = np.zeros_like(source)
    matmul_s = _best_s(lambda: np.matmul(a, a, out=product))
    copy_s = _best_s(lambda: np.copyto(target, source))
    return Machine(gflops=2 * _MATMUL_SIDE**3 / matmul_s / 1e9, bandwidth_mbs=2 * _COPY_MB / copy_s)


def _best_s(work: Callable[[], object]) -> float:
    """Least seconds that `work` took. For a peak the least is right: every disturbance only adds."""
    work()  # pages are mapped and threads are started on the first run
    taken: list[float] = []
    while len(taken) < _FEWEST or sum(taken) < _BUDGET_S:
        start = time.perf_counter()
        work()
        taken.append(max(time.perf_counter() - start, 1e-9))
    return min(taken)
