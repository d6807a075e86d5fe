"""Where the time of one submission goes, stage by stage, and how far that is from the floor.

    .venv/bin/python benchmarks/stages.py [--cohort 24] [--together 8]

One process, one sandbox, one submission after another: medians in milliseconds of wall-clock time. Results are stored
so many together as two workers bring in a quarter of a second, and each is charged its part. The floor is the same
cells and sections by plain `exec` in a process that has imported what they need: no isolation, no IPython, no outputs,
no judge. Beside it stands what the same takes in a process of its own, forked twice as a session is, and no more.
"""

from __future__ import annotations

import argparse
import functools
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from pathlib import Path
from typing import Any

from cohorts import make_cohort, submissions

from tito.cells import grade_id_of, kind_of
from tito.course import Course, find_course
from tito.grade import observe, submission
from tito.grade.judge import Judge
from tito.grade.plan import AssignmentPlan, skipped
from tito.grade.planning import plan_assignment
from tito.grade.record import Recorder
from tito.grade.repair import read_submission, repair
from tito.gradebook.store import open_gradebook
from tito.models import CellKind, Fingerprint
from tito.sandbox.backends import backend
from tito.sandbox.session import Control, Conversation, Sandbox, Session

# What is timed, by the stage that it counts for. What is inside another of them is taken from that one.
STAGES = {
    "repair": ((submission, "read_submission"), (submission, "repair")),
    "fork": ((Control, "session"), (Session, "close")),
    "branches": ((Conversation, "branch"),),
    "cells": ((observe, "_run_notebook"),),
    "hidden": ((observe, "_run_hidden"),),
    "judge": ((Judge, "ask"),),
    "record": ((Recorder, "record"),),
}


class Watch:
    """Adds up the time that functions take, by stage; of nested ones, each its own."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = defaultdict(float)
        self._inside = [0.0]

    def on(self, owner: Any, name: str, stage: str) -> None:
        """Time a function from now on."""
        function = getattr(owner, name)

        @functools.wraps(function)
        def timed(*arguments: Any, **keywords: Any) -> Any:
            started = time.perf_counter()
            self._inside.append(0.0)
            try:
                return function(*arguments, **keywords)
            finally:
                took, within = time.perf_counter() - started, self._inside.pop()
                self._inside[-1] += took
                self.seconds[stage] += took - within

        setattr(owner, name, timed)


def graded(course: Course, plan: AssignmentPlan, folders: list[Path], together: int) -> list[dict[str, float]]:
    """Seconds by stage of each submission, and in all."""
    watch = Watch()
    for stage, functions in STAGES.items():
        for owner, name in functions:
            watch.on(owner, name, stage)
    found = []
    with (
        Sandbox(backend(course.sandbox.backend), plan.place) as sandbox,
        Judge(plan.prerequisites) as judge,
        open_gradebook(course) as opened,
    ):
        recorder = Recorder(course, plan.assignment, opened)
        made = []
        for folder in [folders[0], *folders]:  # the first is not counted: the judge starts with it
            watch.seconds.clear()
            started = time.perf_counter()
            one = submission.grade_submission(plan, folder.parent.name, folder, sandbox, judge, Fingerprint("", "", ""))
            found.append(dict(watch.seconds) | {"total": time.perf_counter() - started})
            made.append((one, folder))
        for first in range(0, len(made), together):
            watch.seconds.clear()
            recorder.record(made[first : first + together])
            each = watch.seconds["record"] / len(made[first : first + together])
            for times in found[first : first + together]:
                times["record"], times["total"] = each, times["total"] + each
    return found[1:]


def floor(plan: AssignmentPlan, folders: list[Path]) -> tuple[list[float], list[float]]:
    """Seconds of each submission's cells and sections by plain `exec`, and by the same in a process of its own."""
    order = {
        "prerequisites": str(plan.prerequisites),
        "warm": plan.place.warm,
        "submissions": [_sources(plan, folder) for folder in folders],
    }
    command = [sys.executable, Path(__file__).with_name("floor.py")]
    environment = os.environ | {"OPENBLAS_NUM_THREADS": "1"}
    done = subprocess.run(command, input=json.dumps(order), capture_output=True, text=True, check=True, env=environment)
    plain, forked = json.loads(done.stdout)
    return plain, forked


def _sources(plan: AssignmentPlan, folder: Path) -> list[str]:
    (notebook,) = plan.notebooks
    cells = repair(read_submission(folder / f"{notebook.name}.ipynb", 20), notebook.cells).cells
    not_run = skipped(cells)
    found: list[str] = []
    for position, cell in enumerate(cells):
        if kind_of(cell) is CellKind.TEST:
            found += [section.observe for section, _ in notebook.tests[grade_id_of(cell)].sections]
        elif cell.cell_type == "code" and position not in not_run:
            found.append(cell.source)
    return found


def main() -> None:
    """Print one table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cohort", type=int, default=24)
    parser.add_argument("--module", default="16")
    parser.add_argument("--together", type=int, default=8)
    arguments = parser.parse_args()
    course = find_course(Path())
    assignment = course.assignment(arguments.module)
    with tempfile.TemporaryDirectory() as folder:
        made = make_cohort(course, assignment, Path(folder).resolve(), arguments.cohort)
        plan = plan_assignment(made, assignment)
        folders = submissions(made, assignment)
        least, forked = floor(plan, folders)
        stages = graded(made, plan, folders, arguments.together)
    columns = (*STAGES, "total", "floor", "× floor", "forked")
    middle = {name: 1000 * statistics.median(one.get(name, 0.0) for one in stages) for name in (*STAGES, "total")}
    ratio = statistics.median(one["total"] / bare for one, bare in zip(stages, least, strict=True))
    values = [
        *(f"{middle[name]:.1f}" for name in (*STAGES, "total")),
        f"{1000 * statistics.median(least):.1f}",
        f"{ratio:.1f}",
        f"{1000 * statistics.median(forked):.1f}",
    ]
    print("  ".join(f"{name:>8}" for name in columns))
    print("  ".join(f"{value:>8}" for value in values))


if __name__ == "__main__":
    main()
