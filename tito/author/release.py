"""Builds what students get, through nbgrader's own GenerateAssignment, and hands it to the exchange.

A release is made in a scratch folder and put in place whole: whatever fails, the old one stands.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import nbformat

from tito.bridge.generate import generate, scratch_course
from tito.course.course import Assignment, Course
from tito.course.course_policy import course_policy
from tito.course.script import build
from tito.course.settings import HELPERS_FILE
from tito.gradebook.penalties import store_policy
from tito.gradebook.released_cells import fit_cells
from tito.gradebook.store import gradebook
from tito.plan.autotests import instantiated


def build_release(course: Course, assignment: Assignment, into: Path) -> Path:
    """The release as students would get it, in `into`; the gradebook is not touched."""
    with scratch_course(course) as scratch:
        _build_source(course, scratch, assignment)
        shutil.copytree(generate(scratch, assignment, database=False), into, dirs_exist_ok=True)
    return into


def _build_source(course: Course, scratch: Course, assignment: Assignment) -> None:
    """The source folder of the assignment in the scratch course, built anew from its script, with the tests in it that
    are to be made by the reference: the same as are graded by; and with what assistants of students are to know."""
    target = scratch.step("source", assignment.id)
    if assignment.script is None:
        shutil.copytree(course.step("source", assignment.id), target)
    notebooks = build(scratch, assignment)
    for name, notebook in instantiated(scratch, assignment, notebooks, home=course).items():
        if assignment.script is None or notebook is not notebooks[name]:
            nbformat.write(notebook, target / f"{name}.ipynb")  # as it was read: nbgrader refuses what is old
    helpers = course.step("source", HELPERS_FILE)
    if helpers.is_file():
        shutil.copyfile(helpers, target / HELPERS_FILE)


def publish(course: Course, assignment: Assignment) -> Path:
    """Release an assignment: graded cells into the gradebook, files into release/. Run the gates first.

    Raises:
        GradebookUnavailable, BadSource: nothing was changed in release/.
    """
    course_policy(course)  # whoever is misspelt in it is told before anything is changed
    with scratch_course(course) as scratch:
        _build_source(course, scratch, assignment)
        paths = sorted(scratch.step("source", assignment.id).glob("*.ipynb"))
        with gradebook(course) as opened:  # what is unusable is told as that, not as nbgrader's trouble with a notebook
            fit_cells(opened, assignment.id, {path.stem: nbformat.read(path, as_version=4) for path in paths})
        fresh = generate(scratch, assignment, database=True)
        target = course.step("release", assignment.id)
        target.parent.mkdir(exist_ok=True)
        if target.exists():
            target.rename(scratch.root / "old")
        fresh.rename(target)
    store_policy(course)
    return target
