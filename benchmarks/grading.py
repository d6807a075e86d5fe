"""How fast a cohort is graded, side by side with nbgrader and Otter: the same submissions, one run, one table.

    .venv/bin/python benchmarks/grading.py [--cohorts 12,60,300] [--peers 60] [--repeats 3]

All are measured as commands, as their users run them: `nbgrader autograde` (a kernel for each notebook, one after
another, no sandbox), `otter run` (one command a notebook, two at a time, no sandbox), and `tito autograde`, with its
sandbox on. Seconds are wall-clock, ours the median of the repeats; what counts is the ratio. Of a cohort larger than
`--peers`, the peers grade only so many submissions, and their time is scaled to the cohort: marked with `~`.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import psutil
from cohorts import make_cohort, plain_course, submissions
from peers import otter_seconds

from tito.course.course import Assignment, Course, find_course
from tito.otter.zip import write_otter_zip

BIN = Path(sys.executable).parent
COLUMNS = (
    "cohort", "nbgrader s", "otter s", "workers", "tito s", "× nbgrader", "× otter", "first s", "ms each", "peak MB",
)  # fmt: skip


@dataclass(frozen=True)
class Run:
    """One run of `tito autograde`: seconds in all, seconds until the first submission was graded, and MiB at most."""

    seconds: float
    first: float
    peak_mb: float


def tito_run(course: Course, assignment: Assignment, workers: int, watch: bool = False) -> Run:
    """Grade the whole cohort; with `watch`, the memory of all processes is summed up five times a second."""
    command = [BIN / "tito", "autograde", assignment.id, "--force", "--workers", str(workers)]
    started = time.perf_counter()
    process = subprocess.Popen(
        command, cwd=course.root, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, bufsize=1
    )
    peak = Peak(process.pid) if watch else None
    assert process.stderr is not None
    process.stderr.readline()
    first = time.perf_counter() - started
    process.stderr.read()
    if process.wait() != 0:
        raise SystemExit(f"tito autograde ended with {process.returncode}")
    return Run(time.perf_counter() - started, first, peak.stop() if peak else 0.0)


class Peak:
    """The most memory that a process and all below it had at a time: proportional set sizes, summed."""

    def __init__(self, pid: int) -> None:
        self._process = psutil.Process(pid)
        self._most = 0
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch)
        self._thread.start()

    def _watch(self) -> None:
        while not self._over.wait(0.2):
            self._most = max(self._most, sum(map(_memory, _family(self._process))))

    def stop(self) -> float:
        """MiB."""
        self._over.set()
        self._thread.join()
        return self._most / (1 << 20)


def _family(process: psutil.Process) -> list[psutil.Process]:
    try:
        return [process, *process.children(recursive=True)]
    except psutil.Error:
        return []


def _memory(process: psutil.Process) -> int:
    try:
        return int(process.memory_full_info().pss)
    except psutil.Error:  # it has ended
        return 0


def nbgrader_run(plain: Path, assignment: Assignment) -> float:
    """Seconds that `nbgrader autograde` takes for all submissions of a plain course."""
    started = time.perf_counter()
    command = [BIN / "nbgrader", "autograde", assignment.id, "--force"]
    environment = os.environ | {"PATH": f"{BIN}:{os.environ['PATH']}"}
    done = subprocess.run(command, cwd=plain, capture_output=True, text=True, env=environment)
    if done.returncode != 0:
        raise SystemExit(f"nbgrader autograde ended with {done.returncode}:\n{done.stderr[-2000:]}")
    return time.perf_counter() - started


def measured_peers(course: Course, assignment: Assignment, part: int) -> tuple[float, float]:
    """Seconds of nbgrader and of Otter for the first `part` submissions of a cohort."""
    with tempfile.TemporaryDirectory() as folder:
        theirs = nbgrader_run(plain_course(course, assignment, Path(folder).resolve(), part), assignment)
    with tempfile.TemporaryDirectory() as folder:
        zipped = write_otter_zip(course, assignment, Path(folder) / "autograder.zip")
        notebooks = [path for submitted in submissions(course, assignment)[:part] for path in submitted.glob("*.ipynb")]
        others = otter_seconds(zipped, notebooks, workers=2)
    return theirs, others


def median(runs: list[Run], of: Callable[[Run], float]) -> float:
    return statistics.median(map(of, runs))


def main() -> None:
    """Print one table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cohorts", default="12,60,300", help="cohort sizes, comma-separated")
    parser.add_argument("--peers", type=int, default=60, help="at most so many submissions for nbgrader and Otter")
    parser.add_argument("--repeats", type=int, default=3, help="runs of ours, of which the median counts")
    parser.add_argument("--module", default="16")
    arguments = parser.parse_args()
    course = find_course(Path())
    assignment = course.assignment(arguments.module)
    print("  ".join(COLUMNS), flush=True)
    known: dict[int, tuple[float, float]] = {}  # seconds of the peers, by how many submissions they graded
    for size in map(int, arguments.cohorts.split(",")):
        with tempfile.TemporaryDirectory() as folder:
            cohort = make_cohort(course, assignment, Path(folder).resolve(), size)
            part = min(size, arguments.peers)
            if part not in known:
                known[part] = measured_peers(cohort, assignment, part)
            theirs, others = (seconds * size / part for seconds in known[part])
            mark = "~" if size > arguments.peers else ""
            for workers in (1, 2):
                runs = [tito_run(cohort, assignment, workers) for _ in range(arguments.repeats)]
                peak = tito_run(cohort, assignment, workers, watch=True).peak_mb
                seconds = median(runs, lambda run: run.seconds)
                cells = (
                    str(size), f"{mark}{theirs:.1f}", f"{mark}{others:.1f}", str(workers), f"{seconds:.2f}",
                    f"{theirs / seconds:.1f}", f"{others / seconds:.1f}", f"{median(runs, lambda run: run.first):.2f}",
                    f"{1000 * seconds / size:.0f}", f"{peak:.0f}",
                )  # fmt: skip
                print("  ".join(f"{cell:>{len(name)}}" for cell, name in zip(cells, COLUMNS, strict=True)), flush=True)


if __name__ == "__main__":
    main()
