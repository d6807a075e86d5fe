"""Runs the cells of a notebook, in the folder of its release, by a browser's clock and on a slow machine.

Cells come as JSON on standard input. Clocks run SLOWER times as fast as they are, so that all takes that much longer by
them, and tell whole multiples of GRAIN_S. The first cell that raises ends it, with its number in the traceback.
"""

from __future__ import annotations

import contextlib
import io
import json
import math
import sys
import time
from collections.abc import Callable

SLOWER, GRAIN_S = 5, 0.0001
CLOCKS = ("perf_counter", "process_time", "time", "monotonic")


def coarse(clock: Callable[[], float]) -> Callable[[], float]:
    return lambda: math.floor(clock() * SLOWER / GRAIN_S) * GRAIN_S


def coarse_ns(clock: Callable[[], int]) -> Callable[[], int]:
    grain_ns = round(GRAIN_S * 1e9)
    return lambda: clock() * SLOWER // grain_ns * grain_ns


def main() -> None:
    for name in CLOCKS:
        setattr(time, name, coarse(getattr(time, name)))
        setattr(time, f"{name}_ns", coarse_ns(getattr(time, f"{name}_ns")))
    sys.path.insert(0, "")
    namespace: dict[str, object] = {"__name__": "__main__"}
    for number, source in enumerate(json.load(sys.stdin)):
        with contextlib.redirect_stdout(io.StringIO()):
            exec(compile(source, f"cell {number}", "exec"), namespace)


if __name__ == "__main__":
    main()
