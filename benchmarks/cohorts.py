"""Cohorts to measure on: a course with submissions made of a module's variants in turn, without endless loops."""

from __future__ import annotations

import itertools
import shutil
from dataclasses import replace
from pathlib import Path

import nbformat

from tito.author.release import publish
from tito.author.variants import read_variants, submission
from tito.course.course import Assignment, Course, load_course
from tito.course.script import build, source_notebooks
from tito.grade.cohort import prepare
from tito.sandbox.backends import backend

PLAIN_CONFIG = """
c = get_config()
c.CourseDirectory.course_id = {course!r}
c.CourseDirectory.db_url = {db_url!r}
c.CourseDirectory.max_file_size = 20000
c.ExecutePreprocessor.timeout = 60
"""


def make_cohort(course: Course, assignment: Assignment, root: Path, size: int) -> Course:
    """A course in the empty folder `root`, released as `tito release` does it, with `size` submissions."""
    assert assignment.script is not None
    for name in ("course.toml", "nbgrader_config.py"):
        shutil.copy(course.root / name, root)
    if course.reference is not None:
        shutil.copytree(course.reference, root / course.reference.name, ignore=shutil.ignore_patterns("__pycache__"))
    (root / "source").mkdir()
    shutil.copy(assignment.script, root / "source")
    cohort = load_course(root)
    released = publish(cohort, assignment)
    prepare(cohort, cohort.assignment(assignment.id), backend(cohort.sandbox.backend))
    variants = [variant for variant in read_variants(course, assignment) if variant.kind != "endless"]
    for name, source in source_notebooks(cohort, assignment).items():
        stub = nbformat.read(released / f"{name}.ipynb", as_version=4)
        for number, variant in zip(range(size), itertools.cycle(variants), strict=False):
            folder = cohort.step("submitted", f"student{number:03d}", assignment.id)
            folder.mkdir(parents=True)
            nbformat.write(submission(variant, source, stub), folder / f"{name}.ipynb")
    return cohort


def plain_course(cohort: Course, assignment: Assignment, root: Path, size: int) -> Path:
    """The same course as plain nbgrader has it, in the empty folder `root`, with the first `size` submissions."""
    db_url = f"sqlite:///{root / 'gradebook.db'}"
    plain = replace(cohort, root=root, db_url=db_url, policy=replace(cohort.policy, deadlines={}))
    build(cohort, assignment)
    shutil.copytree(cohort.step("source", assignment.id), plain.step("source", assignment.id))
    publish(plain, Assignment(assignment.id))
    for folder in submissions(cohort, assignment)[:size]:
        shutil.copytree(folder, plain.step("submitted", folder.parent.name, assignment.id))
    (root / "nbgrader_config.py").write_text(PLAIN_CONFIG.format(course=cohort.id, db_url=db_url), encoding="utf-8")
    return root


def submissions(cohort: Course, assignment: Assignment) -> list[Path]:
    """Folders of the submissions, in order."""
    return sorted(cohort.step("submitted").glob(f"*/{assignment.id}"))
