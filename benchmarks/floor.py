"""The floor of grading: the same cells, run by plain `exec` in a process that is warm. Run by `stages.py`.

Reads JSON from its standard input: the folder of the prerequisites, what to import first, and the sources of each
submission. Writes the seconds that each submission took, after one round that does not count; and those that it took
in a process of its own, forked by a first process as a session has one: the least that any isolation costs.
"""

from __future__ import annotations

import contextlib
import gc
import io
import json
import os
import sys
import time


def seconds_of(sources: list[str]) -> float:
    """Run the cells of one submission in a namespace of its own."""
    namespace = {"__name__": "__main__"}
    started = time.perf_counter()
    for source in sources:
        with contextlib.suppress(Exception):
            exec(compile(source, "<cell>", "exec"), namespace)
    return time.perf_counter() - started


def forked_seconds_of(sources: list[str]) -> float:
    """Run the cells of one submission in a process that is forked twice, until both have ended."""
    started = time.perf_counter()
    first = os.fork()
    if first == 0:
        second = os.fork()
        if second == 0:
            seconds_of(sources)
            os._exit(0)
        os.waitpid(second, 0)
        os._exit(0)
    os.waitpid(first, 0)
    return time.perf_counter() - started


def main() -> None:
    """Two rounds over all submissions in this process, of which the second counts; one in forks of it."""
    order = json.load(sys.stdin)
    sys.path.insert(0, order["prerequisites"])
    for statement in order["warm"]:
        exec(statement, {})
    with contextlib.redirect_stdout(io.StringIO()):
        for _ in range(2):
            seconds = [seconds_of(sources) for sources in order["submissions"]]
        gc.collect()
        gc.freeze()
        forked = [forked_seconds_of(sources) for sources in order["submissions"]]
    json.dump([seconds, forked], sys.stdout)


if __name__ == "__main__":
    main()
