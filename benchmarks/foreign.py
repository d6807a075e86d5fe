"""How fast other people's assignments are graded, beside plain nbgrader: those of `tests/foreign`, a line for each.

    .venv/bin/python benchmarks/foreign.py [--cohort 30] [--peers 6] [--only REGEX]

The cohort is made of an assignment's submissions in turn. Both are measured as commands: `nbgrader autograde` (a kernel
for each notebook, one after another, no sandbox), and `tito autograde` with two workers and its sandbox on. Seconds are
wall-clock: on a machine that is busy with others ours suffers more, since a test and a notebook take turns. nbgrader
grades one submission, then one and `--peers` more, and its time is scaled to the cohort: marked with `~`. `plan s` is
what `tito release` does once for all cohorts, planning and trying the tests on the reference: it is not in `tito s`,
and the last column counts it in.
"""

from __future__ import annotations

import argparse
import itertools
import os
import re
import subprocess
import sys
import tempfile
import time
import warnings
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests" / "support"))

from foreign_support import SETTINGS, ForeignAssignment, Submission, assignments

from tito.author.release import publish
from tito.course.course import load_course
from tito.grade.cohort import prepare
from tito.sandbox.bubblewrap import Bubblewrap

BIN = Path(sys.executable).parent
COLUMNS = ("assignment", "tests", "nbgrader s", "tito s", "x nbgrader", "plan s", "x with plan")
PLAIN = """
c = get_config()
c.CourseDirectory.course_id = "foreign"
c.ExecutePreprocessor.timeout = 60
"""


def seconds_of(root: Path, *command: str) -> float:
    """Seconds that a command takes in a course's folder."""
    environment = os.environ | {"PATH": f"{BIN}:{os.environ['PATH']}"}
    started = time.perf_counter()
    done = subprocess.run([BIN / command[0], *command[1:]], cwd=root, capture_output=True, text=True, env=environment)
    if done.returncode != 0:
        raise SystemExit(f"{' '.join(command)} ended with {done.returncode}:\n{done.stderr[-2000:]}")
    return time.perf_counter() - started


def cohort_of(assignment: ForeignAssignment, size: int) -> list[Submission]:
    """So many submissions, those of the assignment in turn."""
    return list(itertools.islice(itertools.cycle(assignment.submissions), size))


def hand_in(assignment: ForeignAssignment, root: Path, size: int) -> None:
    """Hand in a cohort of that size, in the place of what has been handed in."""
    for number, submission in enumerate(cohort_of(assignment, size)):
        folder = root / "submitted" / f"student{number:03d}" / assignment.name
        if not folder.exists():
            assignment.hand_in(submission, root / "release" / assignment.name, folder)


def nbgrader_seconds(assignment: ForeignAssignment, peers: int, cohort: int) -> float:
    """What `nbgrader autograde` would take for a cohort: its start, and each submission, from two runs."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder).resolve()
        (root / "nbgrader_config.py").write_text(PLAIN, encoding="utf-8")
        assignment.write_source(root / "source" / assignment.name)
        seconds_of(root, "nbgrader", "generate_assignment", assignment.name)
        hand_in(assignment, root, 1)
        alone = seconds_of(root, "nbgrader", "autograde", assignment.name, "--force")
        hand_in(assignment, root, peers + 1)
        more = seconds_of(root, "nbgrader", "autograde", assignment.name, "--force")
    return alone + (more - alone) / peers * (cohort - 1)


def our_seconds(assignment: ForeignAssignment, cohort: int) -> tuple[float, float]:
    """Seconds for planning, and what `tito autograde` takes for a cohort then."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder).resolve()
        (root / "course.toml").write_text(SETTINGS, encoding="utf-8")
        assignment.write_source(root / "source" / assignment.name)
        course = load_course(root)
        planned = course.assignment(assignment.name)
        publish(course, planned)
        started = time.perf_counter()
        prepare(course, planned, Bubblewrap())
        planning = time.perf_counter() - started
        hand_in(assignment, root, cohort)
        return planning, seconds_of(root, "tito", "autograde", assignment.name, "--force", "--workers", "2")


def line_of(assignment: ForeignAssignment, cohort: int, peers: int) -> tuple[str, ...]:
    """Measure an assignment."""
    theirs = nbgrader_seconds(assignment, peers, cohort)
    planning, ours = our_seconds(assignment, cohort)
    return (
        assignment.name, str(len(assignment.tests)), f"~{theirs:.0f}", f"{ours:.1f}", f"{theirs / ours:.1f}",
        f"{planning:.1f}", f"{theirs / (ours + planning):.1f}",
    )  # fmt: skip


def main() -> None:
    """Print one table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cohort", type=int, default=30)
    parser.add_argument("--peers", type=int, default=4, help="so many submissions, and one, are graded by nbgrader")
    parser.add_argument("--only", default="", help="assignments whose name matches this regular expression")
    arguments = parser.parse_args()
    warnings.simplefilter("ignore")  # nbgrader's own, from SQLAlchemy
    chosen = [assignment for assignment in assignments() if re.search(arguments.only, assignment.name)]
    longest = max(len(assignment.name) for assignment in chosen)
    widths = [longest, *map(len, COLUMNS[1:])]
    print("  ".join(f"{column:>{width}}" for column, width in zip(COLUMNS, widths, strict=True)), flush=True)
    for assignment in chosen:
        cells = line_of(assignment, arguments.cohort, arguments.peers)
        print("  ".join(f"{cell:>{width}}" for cell, width in zip(cells, widths, strict=True)), flush=True)


if __name__ == "__main__":
    main()
