"""How fast a cohort is graded, side by side with plain nbgrader: the same submissions, one run, one table.

    .venv/bin/python benchmarks/grading.py [--cohorts 12,60]

The cohort is made of the module's variants (without the endless loop), repeated. Seconds are wall-clock; the
ratio is what counts. nbgrader grades without a sandbox, one submission after another, as it does.
"""

from __future__ import annotations

import argparse
import itertools
import shutil
import tempfile
import time
from pathlib import Path

import nbformat

from tito.author.release import publish
from tito.author.script import source_notebooks
from tito.author.variants import read_variants, submission
from tito.course import Assignment, Course, find_course, load_course
from tito.demo import plain_nbgrader_scores
from tito.grade.cohort import autograde
from tito.sandbox.backends import backend


def make_cohort(course: Course, assignment: Assignment, root: Path, size: int) -> Course:
    """A course folder in `root` with `size` submissions, made of the module's variants in turn."""
    assert assignment.script is not None
    for name in ("course.toml", "nbgrader_config.py"):
        shutil.copy(course.root / name, root)
    if course.reference is not None:
        shutil.copytree(course.reference, root / course.reference.name, ignore=shutil.ignore_patterns("__pycache__"))
    (root / "source").mkdir()
    shutil.copy(assignment.script, root / "source")
    made = load_course(root)
    released = publish(made, assignment)
    variants = [one for one in read_variants(course, assignment) if one.kind != "endless"]
    for name, source in source_notebooks(made, assignment).items():
        stub = nbformat.read(released / f"{name}.ipynb", as_version=4)
        for number, variant in zip(range(size), itertools.cycle(variants), strict=False):
            folder = made.step("submitted", f"student{number:03d}", assignment.id)
            folder.mkdir(parents=True)
            nbformat.write(submission(variant, source, stub), folder / f"{name}.ipynb")
    return made


def measured(course: Course, assignment: Assignment, root: Path, size: int) -> tuple[float, dict[int, float]]:
    """Wall-clock seconds for one cohort: by plain nbgrader, and by us with one and with two workers."""
    made = make_cohort(course, assignment, root, size)
    isolation = backend("bubblewrap")
    ours = {}
    for workers in (1, 2):
        started = time.perf_counter()
        autograde(made, assignment, isolation, workers=workers, force=True)
        ours[workers] = time.perf_counter() - started
    started = time.perf_counter()
    plain_nbgrader_scores(made, assignment, tuple(f"student{number:03d}" for number in range(size)))
    return time.perf_counter() - started, ours


def main() -> None:
    """Print one table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cohorts", default="12,60", help="cohort sizes, comma-separated")
    parser.add_argument("--module", default="16")
    arguments = parser.parse_args()
    course = find_course(Path())
    assignment = course.assignment(arguments.module)
    print(f"{'cohort':>7} {'nbgrader s':>11} {'1 worker s':>11} {'ratio':>6} {'2 workers s':>12} {'ratio':>6}")
    for size in map(int, arguments.cohorts.split(",")):
        with tempfile.TemporaryDirectory() as folder:
            theirs, ours = measured(course, assignment, Path(folder), size)
        ratios = {workers: theirs / seconds for workers, seconds in ours.items()}
        print(f"{size:7} {theirs:11.1f} {ours[1]:11.1f} {ratios[1]:6.1f} {ours[2]:12.1f} {ratios[2]:6.1f}", flush=True)


if __name__ == "__main__":
    main()
