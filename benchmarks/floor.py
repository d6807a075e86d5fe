"""The floor of grading: the same cells, run by plain `exec` in a process that is warm. Run by `stages.py`.

Reads JSON from its standard input: the folder of the prerequisites, what to import first, and the sources of each
submission. Writes the seconds that each submission took, after one round that does not count.
"""

from __future__ import annotations

import contextlib
import io
import json
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


def main() -> None:
    """Two rounds over all submissions; the second counts."""
    order = json.load(sys.stdin)
    sys.path.insert(0, order["prerequisites"])
    for statement in order["warm"]:
        exec(statement, {})
    with contextlib.redirect_stdout(io.StringIO()):
        for _ in range(2):
            seconds = [seconds_of(sources) for sources in order["submissions"]]
    json.dump(seconds, sys.stdout)


if __name__ == "__main__":
    main()
