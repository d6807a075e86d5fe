"""How fast feedback pages are made, side by side with nbgrader: the same graded notebooks, one run, one table.

    .venv/bin/python benchmarks/feedback.py [--cohort 300] [--peers 30] [--repeats 3] [--module 16]

Both are measured as commands, as their users run them, start-up included: `nbgrader generate_feedback --force` in a
course without anything of ours, and `tito feedback` after all pages and notes on them have been taken away. Seconds are
wall-clock, ours the median of the repeats, of which one is run before nbgrader and the others after; what counts is the
ratio. nbgrader makes the pages of `--peers` students, and its time is scaled to the cohort: marked with `~`. `again` is
`tito feedback` when all pages are up to date. *busy* is the time of all processors together, which a busy machine
changes little.
"""

from __future__ import annotations

import argparse
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from cohorts import PLAIN_CONFIG, make_cohort, submissions

from tito.course.course import Assignment, Course, find_course
from tito.grade.cohort import autograde
from tito.sandbox.backends import backend

BIN = Path(sys.executable).parent
COLUMNS = (
    "pages", "nbgrader s", "busy s", "kB a page", "workers", "tito s", "busy s", "kB a page", "× nbgrader", "× busy",
    "again s",
)  # fmt: skip


@dataclass(frozen=True)
class Took:
    """What a command took: seconds by the clock, and of processors."""

    clock_s: float
    busy_s: float


def run(folder: Path, *command: str) -> Took:
    """Run a command.

    Raises:
        SystemExit: it failed.
    """
    started, before = time.perf_counter(), _busy_s()
    environment = os.environ | {"PATH": f"{BIN}:{os.environ['PATH']}"}
    done = subprocess.run([BIN / command[0], *command[1:]], cwd=folder, capture_output=True, text=True, env=environment)
    if done.returncode != 0:
        raise SystemExit(f"{' '.join(command)} ended with {done.returncode}:\n{done.stderr[-2000:]}")
    return Took(time.perf_counter() - started, _busy_s() - before)


def _busy_s() -> float:
    """Of processors, of all that this process has started and waited for, with what that has."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def by_tito(cohort: Course, assignment: Assignment, workers: int) -> tuple[Took, Took]:
    """What all pages take from nothing, and when they are there."""
    for folder in (cohort.step("feedback"), cohort.gradebook_dir / "pages"):
        shutil.rmtree(folder, ignore_errors=True)
    command = ("tito", "feedback", assignment.id, "--workers", str(workers))
    return run(cohort.root, *command), run(cohort.root, *command)


def by_nbgrader(cohort: Course, assignment: Assignment, root: Path, count: int) -> tuple[Took, float]:
    """What nbgrader takes for the pages of the first students, and kB of a page."""
    assert cohort.gradebook_file is not None
    shutil.copy(cohort.gradebook_file, root / "gradebook.db")
    for submission in submissions(cohort, assignment)[:count]:
        part = (submission.parent.name, assignment.id)
        shutil.copytree(cohort.step("autograded", *part), root.joinpath("autograded", *part))
    db_url = f"sqlite:///{root / 'gradebook.db'}"
    (root / "nbgrader_config.py").write_text(PLAIN_CONFIG.format(course=cohort.id, db_url=db_url), encoding="utf-8")
    took = run(root, "nbgrader", "generate_feedback", assignment.id, "--force")
    pages = list((root / "feedback").glob("*/*/*.html"))
    if len(pages) != count:
        raise SystemExit(f"nbgrader made {len(pages)} pages of {count}")
    return took, mean_kb(pages)


def clock_of(took: Took) -> float:
    return took.clock_s


def busy_of(took: Took) -> float:
    return took.busy_s


def median(runs: list[Took], of: Callable[[Took], float]) -> float:
    return statistics.median(map(of, runs))


def mean_kb(pages: Iterable[Path]) -> float:
    return statistics.mean(page.stat().st_size for page in pages) / 1000


def main() -> None:
    """Print one table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cohort", type=int, default=300)
    parser.add_argument("--peers", type=int, default=30, help="pages that nbgrader makes")
    parser.add_argument("--repeats", type=int, default=3, help="runs of ours, of which the median counts")
    parser.add_argument("--workers", default="1,2", help="of ours, comma-separated")
    parser.add_argument("--module", default="16")
    arguments = parser.parse_args()
    course = find_course(Path())
    assignment = course.assignment(arguments.module)
    with tempfile.TemporaryDirectory() as folder, tempfile.TemporaryDirectory() as plain:
        cohort = make_cohort(course, assignment, Path(folder).resolve(), arguments.cohort)
        autograde(cohort, assignment, backend(cohort.sandbox.backend))
        counts = [int(count) for count in arguments.workers.split(",")]
        ours = {count: [by_tito(cohort, assignment, count)] for count in counts}
        part = min(arguments.peers, arguments.cohort)
        theirs, their_kb = by_nbgrader(cohort, assignment, Path(plain).resolve(), part)
        for count in counts:
            ours[count] += [by_tito(cohort, assignment, count) for _ in range(arguments.repeats - 1)]
        our_kb = mean_kb(cohort.step("feedback").glob("*/*/*.html"))
        scale = arguments.cohort / part
        mark = "~" if scale > 1 else ""
        print("  ".join(f"{name:>10}" for name in COLUMNS))
        for count in counts:
            clock, busy = (median([fresh for fresh, _ in ours[count]], of) for of in (clock_of, busy_of))
            again = median([later for _, later in ours[count]], clock_of)
            row = (
                f"{arguments.cohort}", f"{mark}{scale * theirs.clock_s:.1f}", f"{mark}{scale * theirs.busy_s:.1f}",
                f"{their_kb:.0f}", f"{count}", f"{clock:.2f}", f"{busy:.2f}", f"{our_kb:.0f}",
                f"{scale * theirs.clock_s / clock:.1f}", f"{scale * theirs.busy_s / busy:.1f}", f"{again:.2f}",
            )  # fmt: skip
            print("  ".join(f"{value:>10}" for value in row), flush=True)


if __name__ == "__main__":
    main()
