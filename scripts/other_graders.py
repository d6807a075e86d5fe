"""Whether other graders give the right simulated students of a module their points: plain nbgrader, and Otter by `tito
otter`. Our own are what `tito check` holds the variants to.

    .venv/bin/python scripts/other_graders.py 16 [--workers 2]

A line for each student that one of the two takes points from; the exit code is 1 where there is one.
"""

from __future__ import annotations

import argparse
import multiprocessing
import shutil
import sys
import tempfile
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from pathlib import Path

import nbformat

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests" / "support"))

from kernel_forks import fork_kernels
from otter_run import run_otter, scores_of

from tito.author.release import publish
from tito.author.variants import read_variants, submission
from tito.cli.demo import plain_nbgrader_scores
from tito.course.course import load_course
from tito.course.script import build
from tito.otter.zip import write_otter_zip


def compare(module: str, workers: int) -> list[str]:
    """What to say of each right student that a grader takes points from."""
    course = load_course(ROOT)
    assignment = course.assignment(module)
    ((name, source),) = build(course, assignment).items()
    graded = [cell.metadata["nbgrader"] for cell in source.cells if cell.metadata.get("nbgrader", {}).get("grade")]
    full = sum(float(cell["points"]) for cell in graded if cell["locked"])
    right = [variant for variant in read_variants(course, assignment) if variant.kind == "correct"]
    spawning = multiprocessing.get_context("spawn")
    with (
        tempfile.TemporaryDirectory() as folder,
        ProcessPoolExecutor(workers, mp_context=spawning, initializer=fork_kernels) as otters,
        ProcessPoolExecutor(workers, mp_context=spawning) as nbgraders,
    ):
        copy = replace(course, root=Path(folder), db_url=f"sqlite:///{folder}/gradebook.db", deadlines={})
        for step in ("source", "variants"):
            shutil.copytree(course.step(step), copy.step(step))
        released = nbformat.read(publish(copy, assignment) / f"{name}.ipynb", as_version=4)
        for variant in right:
            handed_in = copy.step("submitted", variant.name, assignment.id)
            shutil.copytree(copy.step("release", assignment.id), handed_in)
            nbformat.write(submission(variant, source, released), handed_in / f"{name}.ipynb")
        zipped = write_otter_zip(copy, assignment, Path(folder) / "autograder.zip")
        names = [variant.name for variant in right]
        runs = {
            student: otters.submit(
                run_otter,
                zipped,
                copy.step("submitted", student, assignment.id) / f"{name}.ipynb",
                Path(folder) / "otter" / student,
            )
            for student in names
        }
        parts = [tuple(names[at::workers]) for at in range(workers)]
        plain = [nbgraders.submit(plain_nbgrader_scores, copy, assignment, part) for part in parts if part]
        by_otter = {student: sum(scores_of(run.result()).values()) for student, run in runs.items()}
        by_nbgrader = {student: score for part in plain for student, score in part.result().items()}
    print(f"{assignment.id}: {len(right)} right students of {full:g} points, by nbgrader and by Otter")
    scores = [(student, by_nbgrader[student], by_otter[student]) for student in names]
    return [
        f"{student}: {nbgrader:g} by nbgrader, {otter:g} by Otter"
        for student, nbgrader, otter in scores
        if min(nbgrader, otter) != full
    ]


def main() -> int:
    """Compare, print, and say by the exit code whether all are as they should be."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("module")
    parser.add_argument("--workers", type=int, default=2)
    arguments = parser.parse_args()
    differing = compare(arguments.module, arguments.workers)
    print("\n".join(differing) or "all have them all")
    return int(bool(differing))


if __name__ == "__main__":
    raise SystemExit(main())
